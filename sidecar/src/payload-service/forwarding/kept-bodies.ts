import type { ByteSource } from '../../bytes/byte-streams.ts';
import { CollectedBody } from '../../bytes/collected-body.ts';

/** Larger bodies are streamed, and the worker's codec sends them again where that is needed. Bytes */
const LARGEST_KEPT = 8 * 1024 * 1024;

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

  /** @param most bytes of memory of all of them together */
  constructor(most: number) {
    this.#most = most;
  }

  /** bytes of memory in use */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Reads the whole body into memory.
   * @param size bytes of the body
   * @returns `undefined` when it is too large, or no memory is left for it: then nothing was read
   * @throws what the source throws
   */
  async keep(source: ByteSource, size: number): Promise<KeptBody | undefined> {
    const memory = CollectedBody.memoryFor(size);
    if (size > LARGEST_KEPT || this.#bytes + memory > this.#most) return undefined;
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
