import { BODY_BUFFERS } from './buffer-pool.ts';

/** Bytes of a piece, if the body is larger than the largest buffer. A smaller body is one piece. */
export const PIECE_BYTES = 512 * 1024;

/** How many bytes are in a piece of a body of `size` bytes; the last piece may have fewer. */
export function pieceBytesOf(size: number): number {
  return size <= BODY_BUFFERS.largest ? size : PIECE_BYTES;
}

/**
 * Copies the chunks of a body into pieces, and hands each of them on when it is full. Two buffers take turns: one is filled
 * while the other is handed on. The last piece, full or not, waits for `end`.
 */
export class Pieces {
  readonly #size: number;
  readonly #pieceBytes: number;
  readonly #handOn: (piece: Buffer) => Promise<void>;
  #written = 0;
  #filling: Buffer | undefined;
  #filled = 0;
  readonly #spare: Buffer[] = [];
  #handing: Promise<void> | undefined;

  /**
   * @param size bytes of the body; no more are written
   * @param handOn lends a piece; resolves when it may be filled anew
   */
  constructor(size: number, handOn: (piece: Buffer) => Promise<void>) {
    this.#size = size;
    this.#pieceBytes = pieceBytesOf(size);
    this.#handOn = handOn;
  }

  /** Rejects with what `handOn` rejected with. */
  write(chunk: Buffer): Promise<void> | undefined {
    const copied = this.#copy(chunk, 0);
    return copied === chunk.length && !this.#isFull ? undefined : this.#writeOn(chunk, copied);
  }

  /** Hands the last piece on. Resolves when all pieces are used. */
  async end(): Promise<void> {
    if (this.#filled > 0) await this.#handOnFilled();
    await this.#handing;
  }

  /** Gives the memory back. Nothing may read it any more. */
  release(): void {
    if (this.#filling !== undefined) this.#spare.push(this.#filling);
    this.#filling = undefined;
    for (const buffer of this.#spare.splice(0)) BODY_BUFFERS.give(buffer);
  }

  /** Whether the piece is full and is not the last one. */
  get #isFull(): boolean {
    return this.#filled === this.#pieceBytes && this.#written < this.#size;
  }

  async #writeOn(chunk: Buffer, from: number): Promise<void> {
    for (let at = from; this.#isFull; at += this.#copy(chunk, at)) await this.#handOnFilled();
  }

  /** @returns how many bytes of the chunk were copied */
  #copy(chunk: Buffer, from: number): number {
    this.#filling ??= this.#spare.pop() ?? BODY_BUFFERS.take(this.#pieceBytes);
    const copied = chunk.copy(this.#filling, this.#filled, from, from + this.#pieceBytes - this.#filled);
    this.#filled += copied;
    this.#written += copied;
    return copied;
  }

  /** Waits until the piece before it was used. */
  async #handOnFilled(): Promise<void> {
    await this.#handing;
    const buffer = this.#filling as Buffer;
    const piece = buffer.subarray(0, this.#filled);
    this.#filling = undefined;
    this.#filled = 0;
    this.#handing = this.#handOn(piece).then(() => {
      this.#spare.push(buffer);
    });
    // It may fail before the next piece waits for it.
    this.#handing.catch(() => {});
  }
}
