import { LRUCache } from 'lru-cache';
import type { BlobFacts } from '../../bytes/blob-facts.ts';
import { CachedPayload } from './cached-payload.ts';
import { Slab } from './slab.ts';

/** What a payload takes beside its bytes: key, objects, places in tables. 3 KiB were measured with keys of 400 bytes. Bytes */
export const OVERHEAD_BYTES = 4_096;
/** One payload takes at most this part of the cache. */
const LARGEST_SHARE = 1 / 4;

/**
 * The memory of a cache: payloads that were admitted, those that arrive, and those that are still read after their end, never
 * more than `limit` bytes together. What was used least recently makes room, but for what is being read.
 */
export class CacheMemory {
  /** bytes */
  readonly limit: number;
  /** has room for each payload that has room within the limit, as its blocks are smaller than `OVERHEAD_BYTES` */
  readonly #slab: Slab;
  readonly #admitted: LRUCache<string, CachedPayload>;
  /** bytes of payloads that are in memory and not admitted */
  #beside = 0;
  #admissions = 0;
  #evictions = 0;

  /** @param limit bytes, more than 0 */
  constructor(limit: number) {
    this.limit = limit;
    this.#slab = new Slab(limit);
    this.#admitted = new LRUCache({
      maxSize: limit,
      dispose: (payload) => {
        this.#beside += costOf(payload.size);
        payload.drop();
      },
    });
  }

  get bytes(): number {
    return this.#admitted.calculatedSize + this.#beside;
  }

  get admissions(): number {
    return this.#admissions;
  }

  get evictions(): number {
    return this.#evictions;
  }

  /** Whether payloads of this size may be in the cache. */
  takes(size: number): boolean {
    return costOf(size) <= this.limit * LARGEST_SHARE;
  }

  find(key: string): CachedPayload | undefined {
    return this.#admitted.get(key);
  }

  /**
   * Memory for a payload that arrives; its owner admits or drops it. `undefined`: there is no room, as the payload is too
   * large, or too many others arrive or are being read.
   */
  begin(facts: BlobFacts): CachedPayload | undefined {
    const cost = costOf(facts.size);
    if (!this.takes(facts.size) || !this.#makeRoom(cost)) return undefined;
    const parts = this.#slab.take(facts.size);
    if (parts === undefined) return undefined;
    this.#beside += cost;
    return new CachedPayload(facts, parts, () => {
      for (const part of parts) this.#slab.give(part);
      this.#beside -= cost;
    });
  }

  /** Keeps a payload of `begin` that is complete. @returns what is kept under this key: this payload, or the one before it */
  admit(key: string, payload: CachedPayload): CachedPayload {
    const before = this.#admitted.peek(key);
    if (before !== undefined) {
      payload.drop();
      return before;
    }
    const cost = costOf(payload.size);
    this.#beside -= cost;
    this.#admitted.set(independent(key), payload, { size: cost });
    this.#admissions += 1;
    return payload;
  }

  remove(key: string): void {
    this.#admitted.delete(key);
  }

  #makeRoom(cost: number): boolean {
    let room = this.limit - this.bytes;
    const leaving: string[] = [];
    for (const [key, payload] of this.#admitted.rentries() as Iterable<[string, CachedPayload]>) {
      if (room >= cost) break;
      if (payload.isInUse) continue;
      leaving.push(key);
      room += costOf(payload.size);
    }
    if (room < cost) return false;
    for (const key of leaving) this.#admitted.delete(key);
    this.#evictions += leaving.length;
    return true;
  }
}

function costOf(size: number): number {
  return size + OVERHEAD_BYTES;
}

/** The same text in memory of its own: a part of a longer text would keep that text, such as the head of a request. */
function independent(key: string): string {
  return Buffer.from(key).toString();
}
