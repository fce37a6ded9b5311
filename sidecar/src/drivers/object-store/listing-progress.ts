import { excerpt } from '../../errors/excerpt.ts';
import { badListing } from '../s3/answers/listing-page.ts';
import type { ListAnswer } from '../s3/s3-client.ts';

/** Pages without a key, one after another: a service may send some where it skips the marks of deleted versions. */
const MOST_EMPTY_PAGES = 1_000;
/** ms without a key */
const LONGEST_WITHOUT_KEY = 5 * 60_000;

type Order = (a: string, b: string) => number;

/** By their bytes, as S3 does it. */
const byBytes: Order = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b));
/** Folder by folder, as services do it that keep them. */
const byFolders: Order = (a, b) => byBytes(a.replaceAll('/', '\0'), b.replaceAll('/', '\0'));

/**
 * Whether the pages of one listing lead anywhere. Each key comes once, and after those before it, so a listing that goes in
 * circles is noticed in constant memory, whatever tokens it has.
 */
export class ListingProgress {
  #from: string | undefined;
  #emptyPages = 0;
  #lastKeyAt: number;
  readonly #objects = new Ascending();
  readonly #folders = new Ascending();
  readonly #now: () => number;

  /** @param now ms, of a clock that only goes forward */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
    this.#lastKeyAt = now();
  }

  /** Takes the next page. A page that it throws for is not taken, and can be asked for again. @throws Error of BAD_LISTING */
  take({ objects, folders, next }: ListAnswer): void {
    if (next !== undefined && next === this.#from)
      throw badListing('its token comes again, so that it never ends');
    const isEmpty = objects.length + folders.length === 0;
    const emptyPages = isEmpty ? this.#emptyPages + 1 : 0;
    if (emptyPages > MOST_EMPTY_PAGES || (isEmpty && this.#now() - this.#lastKeyAt > LONGEST_WITHOUT_KEY)) {
      throw badListing(`it goes on, and has had no key on ${emptyPages} pages`);
    }
    const names = objects.map(({ name }) => name);
    const accepted = [this.#objects.accept(names), this.#folders.accept(folders)];
    for (const accept of accepted) accept();
    this.#from = next;
    this.#emptyPages = emptyPages;
    if (!isEmpty) this.#lastKeyAt = this.#now();
  }
}

/** Keys in one of the orders from the first to the last. */
class Ascending {
  #last: string | undefined;
  #orders: readonly Order[] = [byBytes, byFolders];

  /** Checks these after those before. @returns what makes them those before */
  accept(keys: readonly string[]): () => void {
    let last = this.#last;
    let orders = this.#orders;
    for (const key of keys) {
      const before = last;
      if (before !== undefined) orders = orders.filter((order) => order(before, key) < 0);
      if (orders.length === 0) throw badListing(`it has ${excerpt(key)} after ${excerpt(before ?? '')}`);
      last = key;
    }
    return () => {
      this.#last = last;
      this.#orders = orders;
    };
  }
}
