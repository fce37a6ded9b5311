import type { ByteSource } from '../../bytes/byte-streams.ts';
import { CollectedBody } from '../../bytes/collected-body.ts';

/** Larger bodies are streamed, and the worker's codec sends them again where that is needed. Bytes */
const LARGEST_KEPT = 8 * 1024 * 1024;
/** The same, after a kept body was late. Bytes */
const LARGEST_KEPT_SLOWLY = 1024 * 1024;
/** ms */
const SLOW_FOR_MS = 60_000;

/** A body that can be sent as often as needed. */
export interface KeptBody {
  readonly pieces: readonly Buffer[];
  /** Gives the memory back to the budget. @param isUnread whether it is certain that no connection reads the pieces any more */
  release(isUnread: boolean): void;
}

/** The bodies of one process that are kept in memory until they are acknowledged. */
export class KeptBodies {
  readonly #most: number;
  #bytes = 0;
  /** on the monotonic clock, ms */
  #slowUntil = 0;

  /** @param most bytes of memory of all of them together */
  constructor(most: number) {
    this.#most = most;
  }

  /** bytes of memory in use */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * A kept body was not stored in time. The worker has sent all of it and waits for the answer only, so what a slow gateway, or a
   * slow link to it, needs for a large one may be too long each time. For a minute larger bodies are streamed, at the pace of the
   * gateway.
   */
  wasLate(): void {
    this.#slowUntil = performance.now() + SLOW_FOR_MS;
  }

  /**
   * Reads the whole body into memory.
   * @param size bytes of the body
   * @returns `undefined` when it is too large, or no memory is left for it: then nothing was read
   * @throws what the source throws
   */
  async keep(source: ByteSource, size: number): Promise<KeptBody | undefined> {
    const memory = CollectedBody.memoryFor(size);
    const largest = performance.now() < this.#slowUntil ? LARGEST_KEPT_SLOWLY : LARGEST_KEPT;
    if (size > largest || this.#bytes + memory > this.#most) return undefined;
    this.#bytes += memory;
    const body = new CollectedBody(size);
    const release = (isUnread: boolean) => {
      this.#bytes -= memory;
      if (isUnread) body.release();
    };
    const write = (chunk: Buffer) => void body.add(chunk);
    try {
      await source.readInto({ write });
    } catch (error) {
      release(true);
      throw error;
    }
    return { pieces: body.pieces, release };
  }
}
