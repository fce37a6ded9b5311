import { BODY_BUFFERS } from './buffer-pool.ts';
import { pieceBytesOf } from './pieces.ts';

/** A body in memory: in one piece up to 1 MiB, so that it leaves by one write, else in pieces of 512 KiB. */
export class CollectedBody {
  readonly #pieceBytes: number;
  readonly #buffers: Buffer[] = [];
  /** bytes of the last buffer */
  #filled = 0;

  /** @param size bytes of the body; no more are added */
  constructor(size: number) {
    this.#pieceBytes = pieceBytesOf(size);
  }

  /** The most memory that a body of so many bytes takes. */
  static memoryFor(size: number): number {
    const pieceBytes = pieceBytesOf(size);
    return Math.ceil(size / pieceBytes) * BODY_BUFFERS.sizeFor(pieceBytes) || 0;
  }

  /** Copies the chunk. */
  add(chunk: Buffer): void {
    for (let from = 0; from < chunk.length; ) {
      if (this.#buffers.length === 0 || this.#filled === this.#pieceBytes) {
        this.#buffers.push(BODY_BUFFERS.take(this.#pieceBytes));
        this.#filled = 0;
      }
      const buffer = this.#buffers.at(-1) as Buffer;
      const copied = chunk.copy(buffer, this.#filled, from, from + this.#pieceBytes - this.#filled);
      this.#filled += copied;
      from += copied;
    }
  }

  get pieces(): readonly Buffer[] {
    return this.#buffers.map((buffer, index) => {
      const isLast = index === this.#buffers.length - 1;
      return buffer.subarray(0, isLast ? this.#filled : this.#pieceBytes);
    });
  }

  /** Gives the memory back. Nothing may read it any more. */
  release(): void {
    for (const buffer of this.#buffers.splice(0)) BODY_BUFFERS.give(buffer);
  }
}
