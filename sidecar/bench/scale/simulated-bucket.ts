import { MemoryClient } from '../../src/drivers/object-store/memory-client.fixture.ts';
import type { ListAnswer, ListQuery } from '../../src/drivers/object-store/object-store-client.ts';
import { objectNames } from '../../src/keys/object-name.ts';
import { type ExpiryWindow, windowName } from '../../src/keys/window.ts';

const DIGEST = `sha256:${'0'.repeat(64)}`;

/** A bucket of any number of payloads, for passes of the reaper. It makes names as they are listed, and counts requests. */
export class SimulatedBucket extends MemoryClient {
  readonly requests = { list: 0, delete: 0 };
  deleted = 0;
  onList = () => {};
  /** by folder */
  readonly #windows: ReadonlyMap<string, ExpiryWindow>;
  /** in each window */
  readonly #payloads: number;

  /** @param windows at most 1,000; if it is one, its payloads can be deleted, from the first on */
  constructor(windows: readonly ExpiryWindow[], payloads: number) {
    super();
    this.#windows = new Map(windows.map((window) => [`${windowName(window)}/`, window]));
    this.#payloads = payloads;
  }

  override async list({ prefix, byFolder, limit = 1_000, from = '' }: ListQuery): Promise<ListAnswer> {
    this.requests.list += 1;
    this.onList();
    const window = this.#windows.get(prefix.slice(0, prefix.indexOf('/') + 1));
    if (window === undefined || byFolder) {
      const folders = window === undefined ? [...this.#windows.keys()].sort() : [`${prefix}bench/`];
      return { objects: [], folders, next: undefined };
    }
    const first = Math.max(Number(from), this.deleted);
    const end = Math.min(first + limit, this.#payloads);
    const objects = Array.from({ length: end - first }, (_, at) => {
      const digest = `sha256:${(first + at).toString(16).padStart(64, '0')}`;
      const key = { window, namespace: 'bench', keyPrefix: undefined, digest, metadataHash: DIGEST };
      return { name: objectNames(key)[0], size: 1 };
    });
    return { objects, folders: [], next: end < this.#payloads ? String(end) : undefined };
  }

  readonly deleter = {
    delete: async (keys: readonly string[]) => {
      this.requests.delete += 1;
      this.deleted += keys.length;
      return new Map();
    },
  };
}
