import type { BlobFacts } from '@largepayload/sidecar/bytes/blob-facts';
import type { ByteSink } from '@largepayload/sidecar/bytes/byte-streams';
import {
  CheckedWriter,
  keepExisting,
  type ObjectWriter,
  type WriteSteps,
} from '@largepayload/sidecar/bytes/object-writer';
import {
  type DeleteOutcome,
  type Driver,
  type ListedObject,
  LONGEST_NAME,
  PAGE_SIZE,
  type PutOptions,
  type StoredBlob,
} from '@largepayload/sidecar/drivers/driver';
import { StorageError } from '@largepayload/sidecar/errors/storage-error';

interface MemoryObject {
  readonly bytes: Buffer;
  readonly digest: string;
  /** Blobs opened and not closed: their bytes must not be used again, even when the object is gone. */
  readers: number;
  removed: boolean;
}

/**
 * Keeps objects in this process, up to `capacity` bytes; they are gone when it ends. For tests and measurements.
 * Memory of removed objects is used again for new ones of the same size, as fresh memory costs more than the copy into it.
 */
export class MemoryDriver implements Driver {
  readonly kind = 'memory';
  readonly longestName = LONGEST_NAME;
  readonly #objects = new Map<string, MemoryObject>();
  readonly #capacity: number;
  /** bytes of stored objects and of those arriving */
  #used = 0;
  readonly #spare = new Map<number, Buffer[]>();
  #spareBytes = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  async begin(name: string, facts: BlobFacts, options: PutOptions): Promise<ObjectWriter> {
    options.signal.throwIfAborted();
    const steps = this.#holds(name, facts, options) ? keepExisting() : this.#write(name, facts, options);
    return new CheckedWriter(steps, facts, options.signal);
  }

  async open(name: string, signal: AbortSignal): Promise<StoredBlob | undefined> {
    signal.throwIfAborted();
    const object = this.#objects.get(name);
    if (object === undefined) return undefined;
    object.readers += 1;
    let open = true;
    const close = async () => {
      if (!open) return;
      open = false;
      object.readers -= 1;
      if (object.removed && object.readers === 0) this.#recycle(object.bytes);
    };
    const readInto = async (sink: ByteSink) => {
      try {
        if (object.bytes.length > 0) await sink.write(object.bytes);
      } finally {
        await close();
      }
    };
    return { size: object.bytes.length, readInto, close };
  }

  async *listLevel(prefix: string, signal: AbortSignal): AsyncIterable<string> {
    signal.throwIfAborted();
    const entries = new Set<string>();
    for (const name of this.#objects.keys()) {
      const end = name.indexOf('/', Math.max(1, prefix.length));
      if (name.startsWith(prefix)) entries.add(end < 0 ? name : name.slice(0, end + 1));
    }
    yield* entries;
  }

  async *list(folder: string, signal: AbortSignal): AsyncIterable<ListedObject[]> {
    const names = [...this.#objects.keys()].filter((name) => name.startsWith(folder)).sort();
    for (let from = 0; from < names.length; from += PAGE_SIZE) {
      signal.throwIfAborted();
      yield names.slice(from, from + PAGE_SIZE).flatMap((name) => {
        const object = this.#objects.get(name);
        return object === undefined ? [] : [{ name, size: object.bytes.length }];
      });
    }
  }

  async delete(names: readonly string[], signal: AbortSignal): Promise<DeleteOutcome> {
    signal.throwIfAborted();
    return { deleted: names.filter((name) => this.#remove(name)), failed: [] };
  }

  async removeFolder(_folder: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
  }

  async currentTime(signal: AbortSignal): Promise<number> {
    signal.throwIfAborted();
    return Date.now();
  }

  async close(): Promise<void> {
    this.#objects.clear();
    this.#spare.clear();
  }

  #write(name: string, facts: BlobFacts, options: PutOptions): WriteSteps {
    const bytes = this.#allocate(facts.size);
    let filled = 0;
    const discard = async () => this.#recycle(bytes);
    return {
      write: (chunk) => {
        filled += chunk.copy(bytes, filled);
        return undefined;
      },
      commit: async () => {
        options.signal.throwIfAborted();
        if (this.#holds(name, facts, options)) {
          await discard();
          return 'existed';
        }
        this.#remove(name);
        this.#objects.set(name, { bytes, digest: facts.digest, readers: 0, removed: false });
        return 'created';
      },
      abort: discard,
    };
  }

  #holds(name: string, facts: BlobFacts, options: PutOptions): boolean {
    const existing = this.#objects.get(name);
    if (existing === undefined || options.replace) return false;
    return options.keepExisting || (existing.bytes.length === facts.size && existing.digest === facts.digest);
  }

  #remove(name: string): boolean {
    const object = this.#objects.get(name);
    if (object === undefined) return false;
    this.#objects.delete(name);
    object.removed = true;
    if (object.readers === 0) this.#recycle(object.bytes);
    return true;
  }

  #allocate(size: number): Buffer {
    if (this.#used + size > this.#capacity) {
      throw new StorageError('full', `the memory store holds at most ${this.#capacity} bytes`);
    }
    this.#used += size;
    const spare = this.#spare.get(size)?.pop();
    if (spare !== undefined) {
      this.#spareBytes -= size;
      return spare;
    }
    if (this.#used + this.#spareBytes > this.#capacity) this.#dropSpare();
    return Buffer.allocUnsafeSlow(size);
  }

  #recycle(bytes: Buffer): void {
    this.#used -= bytes.length;
    this.#spareBytes += bytes.length;
    const alike = this.#spare.get(bytes.length);
    if (alike === undefined) this.#spare.set(bytes.length, [bytes]);
    else alike.push(bytes);
  }

  #dropSpare(): void {
    this.#spare.clear();
    this.#spareBytes = 0;
  }
}
