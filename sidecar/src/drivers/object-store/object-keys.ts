import { LONGEST_NAME } from '../driver.ts';

/**
 * Turns names in the store into keys in the bucket. Without a prefix they are equal, so that DataDog's service finds `/blobs/…`
 * where it would have put it. After a prefix a leading slash would make an empty segment, so it is left out.
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

  /** @param name or the beginning of names */
  keyOf(name: string): string {
    return this.#prefix === '' ? name : this.#prefix + name.replace(/^\//, '');
  }

  /** Whether there can be keys of names that begin with `prefix`: after the store's own prefix no key has an empty segment. */
  mayBeginWith(prefix: string): boolean {
    return this.#prefix === '' || !prefix.startsWith('/');
  }

  nameOf(key: string): string {
    return key.slice(this.#prefix.length);
  }
}
