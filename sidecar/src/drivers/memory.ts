import type { BlobFacts } from '../bytes/blob-facts.ts';
import { drain } from '../bytes/verified-body.ts';
import { StorageError } from '../errors/storage-error.ts';
import {
  type DeleteOutcome,
  type Driver,
  type ListedObject,
  LONGEST_NAME,
  PAGE_SIZE,
  type PutOptions,
  type StoredBlob,
} from './driver.ts';

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

  async put(
    name: string,
    body: AsyncIterable<Buffer>,
    facts: BlobFacts,
    options: PutOptions,
  ): Promise<'created' | 'existed'> {
    const { signal } = options;
    signal.throwIfAborted();
    if (this.#holds(name, facts, options)) {
      await drain(body, signal);
      return 'existed';
    }
    const bytes = this.#allocate(facts.size);
    let stored = false;
    try {
      await fill(bytes, body, signal);
      if (this.#holds(name, facts, options)) return 'existed';
      this.#remove(name);
      this.#objects.set(name, { bytes, digest: facts.digest, readers: 0, removed: false });
      stored = true;
      return 'created';
    } finally {
      if (!stored) this.#recycle(bytes);
    }
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
    return { size: object.bytes.length, chunks: () => chunksOf(object.bytes, close), close };
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

  #holds(name: string, facts: BlobFacts, { keepExisting = false, replace = false }: PutOptions): boolean {
    const existing = this.#objects.get(name);
    if (existing === undefined || replace) return false;
    return keepExisting || (existing.bytes.length === facts.size && existing.digest === facts.digest);
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

async function fill(bytes: Buffer, body: AsyncIterable<Buffer>, signal: AbortSignal): Promise<void> {
  let filled = 0;
  for await (const chunk of body) {
    signal.throwIfAborted();
    filled += chunk.copy(bytes, filled);
  }
  signal.throwIfAborted();
}

async function* chunksOf(bytes: Buffer, close: () => Promise<void>): AsyncGenerator<Buffer> {
  try {
    if (bytes.length > 0) yield bytes;
  } finally {
    await close();
  }
}
