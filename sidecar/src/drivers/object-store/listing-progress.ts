import { excerpt } from '../../errors/excerpt.ts';
import { badListing } from './failures.ts';
import type { ListAnswer, ListQuery } from './object-store-client.ts';

/** Pages without a key, one after another. A service may send some while it skips the marks of deleted versions. */
const MOST_EMPTY_PAGES = 1_000;
const LONGEST_WITHOUT_KEY_MS = 5 * 60_000;

type Order = (a: string, b: string) => number;

/** By their bytes, as S3 sorts. */
const byBytes: Order = (a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b));
/** Folder by folder, as services sort that keep folders. */
const byFolders: Order = (a, b) => byBytes(a.replaceAll('/', '\0'), b.replaceAll('/', '\0'));

/**
 * Whether the pages of one listing answer the query, and lead on. Whatever is listed may be deleted, so a page of another
 * prefix, which a cache or a proxy may send, is an error. Each key comes once, and after those before it, so a listing that
 * goes in circles is noticed in constant memory, whatever tokens it has.
 */
export class ListingProgress {
  #from: string | undefined;
  #emptyPages = 0;
  #lastKeyAt: number;
  readonly #objects = new Ascending();
  readonly #folders = new Ascending();
  readonly #query: ListQuery;
  readonly #now: () => number;

  /** @param now ms, of a clock that only goes forward */
  constructor(query: ListQuery, now: () => number = () => performance.now()) {
    this.#query = query;
    this.#now = now;
    this.#lastKeyAt = now();
  }

  /** Takes the next page, and returns it. A page that is refused can be asked for again. @throws Error of BAD_LISTING */
  take(page: ListAnswer): ListAnswer {
    const { objects, folders, next } = page;
    assertAnswers(page, this.#query);
    if (next !== undefined && next === this.#from)
      throw badListing('its token comes again, so that it never ends');
    const isEmpty = objects.length + folders.length === 0;
    const emptyPages = isEmpty ? this.#emptyPages + 1 : 0;
    if (
      emptyPages > MOST_EMPTY_PAGES ||
      (isEmpty && this.#now() - this.#lastKeyAt > LONGEST_WITHOUT_KEY_MS)
    ) {
      throw badListing(`it goes on, and has had no key on ${emptyPages} pages`);
    }
    const names = objects.map(({ name }) => name);
    const accepted = [this.#objects.accept(names), this.#folders.accept(folders)];
    for (const accept of accepted) accept();
    this.#from = next;
    this.#emptyPages = emptyPages;
    if (!isEmpty) this.#lastKeyAt = this.#now();
    return page;
  }
}

/** Checks that keys come in one of the orders, from the first to the last. */
class Ascending {
  #last: string | undefined;
  #orders: readonly Order[] = [byBytes, byFolders];

  /** Checks the next keys. @returns a function that accepts them */
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

function assertAnswers(
  { objects, folders }: ListAnswer,
  { prefix, byFolder = false, limit }: ListQuery,
): void {
  if (limit !== undefined && objects.length > limit) {
    throw badListing(`it has ${objects.length} objects on a page of at most ${limit}`);
  }
  for (const { name } of objects) assertFits(name, prefix, byFolder ? 'file' : 'any');
  for (const folder of folders) assertFits(folder, prefix, byFolder ? 'folder' : 'none');
}

/** @param kind what may follow the prefix: anything, no slash, one at the end, or nothing */
function assertFits(key: string, prefix: string, kind: 'any' | 'file' | 'folder' | 'none'): void {
  const rest = below(key, prefix);
  const slash = rest?.indexOf('/') ?? -1;
  const fits =
    kind === 'any' ||
    (kind === 'file' && slash < 0) ||
    (kind === 'folder' && slash === (rest?.length ?? 0) - 1);
  if (rest === undefined) throw badListing(`it has ${excerpt(key)}, and ${excerpt(prefix)} was asked for`);
  if (!fits) throw badListing(`it has ${excerpt(key)}, which does not fit the delimiter that was asked for`);
}

/** The key without the prefix. Services that keep folders fold a leading slash, and list keys without it. */
function below(key: string, prefix: string): string | undefined {
  const folded = prefix.replace(/^\//, '');
  const start = [prefix, folded].find((each) => key.startsWith(each));
  return start === undefined ? undefined : key.slice(start.length);
}
