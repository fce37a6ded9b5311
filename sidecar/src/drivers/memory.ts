import { drain } from '../blob-store/verified-body.ts';
import {
  type BlobFacts,
  type DeleteOutcome,
  type Driver,
  type ListedObject,
  PAGE_SIZE,
  type PutOptions,
  StorageError,
  type StoredBlob,
} from './driver.ts';

interface MemoryObject {
  readonly bytes: Buffer;
  readonly digest: string;
}

/** Keeps objects in this process, up to `capacity` bytes; they are gone when it ends. For tests and measurements. */
export class MemoryDriver implements Driver {
  readonly kind = 'memory';
  readonly #objects = new Map<string, MemoryObject>();
  readonly #capacity: number;
  #reserved = 0;

  constructor(capacity: number) {
    this.#capacity = capacity;
  }

  async put(
    name: string,
    body: AsyncIterable<Buffer>,
    facts: BlobFacts,
    { signal, keepExisting = false }: PutOptions,
  ): Promise<'created' | 'existed'> {
    signal.throwIfAborted();
    if (this.#holds(name, facts, keepExisting)) {
      await drain(body);
      return 'existed';
    }
    this.#reserve(facts.size);
    let committed = false;
    try {
      const bytes = await collect(body, facts.size);
      signal.throwIfAborted();
      if (this.#holds(name, facts, keepExisting)) return 'existed';
      this.#reserved -= this.#objects.get(name)?.bytes.length ?? 0;
      this.#objects.set(name, { bytes, digest: facts.digest });
      committed = true;
      return 'created';
    } finally {
      if (!committed) this.#reserved -= facts.size;
    }
  }

  async open(name: string, signal: AbortSignal): Promise<StoredBlob | undefined> {
    signal.throwIfAborted();
    const object = this.#objects.get(name);
    if (object === undefined) return undefined;
    return {
      size: object.bytes.length,
      async *chunks() {
        yield object.bytes;
      },
      close: async () => {},
    };
  }

  async *listFirstSegments(prefix: string, signal: AbortSignal): AsyncIterable<string> {
    signal.throwIfAborted();
    const segments = new Set<string>();
    for (const name of this.#objects.keys()) {
      const end = name.indexOf('/', 1);
      if (name.startsWith(prefix) && end > 0) segments.add(name.slice(0, end + 1));
    }
    yield* segments;
  }

  async *list(folder: string, signal: AbortSignal): AsyncIterable<ListedObject[]> {
    const names = [...this.#objects.keys()].filter((name) => name.startsWith(folder)).sort();
    for (let from = 0; from < names.length; from += PAGE_SIZE) {
      signal.throwIfAborted();
      yield names
        .slice(from, from + PAGE_SIZE)
        .map((name) => ({ name, size: this.#objects.get(name)?.bytes.length ?? 0 }));
    }
  }

  async delete(names: readonly string[], signal: AbortSignal): Promise<DeleteOutcome> {
    signal.throwIfAborted();
    const deleted = names.filter((name) => {
      this.#reserved -= this.#objects.get(name)?.bytes.length ?? 0;
      return this.#objects.delete(name);
    });
    return { deleted, failed: [] };
  }

  async currentTime(signal: AbortSignal): Promise<number> {
    signal.throwIfAborted();
    return Date.now();
  }

  async close(): Promise<void> {
    this.#objects.clear();
  }

  #holds(name: string, facts: BlobFacts, keepExisting: boolean): boolean {
    const existing = this.#objects.get(name);
    if (existing === undefined) return false;
    return keepExisting || (existing.bytes.length === facts.size && existing.digest === facts.digest);
  }

  #reserve(size: number): void {
    if (this.#reserved + size > this.#capacity) {
      throw new StorageError('full', `the memory store holds at most ${this.#capacity} bytes`);
    }
    this.#reserved += size;
  }
}

async function collect(body: AsyncIterable<Buffer>, size: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(size);
  let filled = 0;
  for await (const chunk of body) filled += chunk.copy(bytes, filled);
  return bytes;
}
