import { LONGEST_NAME } from '../driver.ts';

/**
 * How names in the store become keys in the bucket. Without a prefix they are the same, so that DataDog's service finds
 * `/blobs/…` where it would have put it; behind a prefix a leading slash would make an empty segment, and is left out.
 */
export class ObjectKeys {
  /** bytes of the longest name that has a key */
  readonly longestName: number;
  readonly #prefix: string;

  /** @param prefix empty, or ending in a slash */
  constructor(prefix: string) {
    this.#prefix = prefix;
    this.longestName = LONGEST_NAME - Buffer.byteLength(prefix);
  }

  /** @param name or what names begin with */
  keyOf(name: string): string {
    return this.#prefix === '' ? name : this.#prefix + name.replace(/^\//, '');
  }

  /** Whether keys begin like names that begin with `prefix`: none has an empty segment behind the store's own prefix. */
  mayBeginWith(prefix: string): boolean {
    return this.#prefix === '' || !prefix.startsWith('/');
  }

  nameOf(key: string): string {
    return key.slice(this.#prefix.length);
  }
}
