import type { Framing } from './answer-framing.ts';
import { ChunkedDecoder } from './chunked-decoder.ts';
import { badAnswer, closedError } from './errors.ts';
import { largestCollected } from './limits.ts';

/** A body that is gathered in memory. Nothing of it is handed over before it is whole. */
export class CollectedAnswer {
  readonly #framing: Framing;
  readonly #statusCode: number;
  readonly #most: number;
  readonly #decoder = new ChunkedDecoder();
  readonly #parts: Buffer[] = [];
  #size = 0;

  /** @throws Error of `badAnswer` when it is longer than allowed */
  constructor(framing: Framing, statusCode: number) {
    this.#framing = framing;
    this.#statusCode = statusCode;
    this.#most = largestCollected(statusCode);
    if (framing.kind === 'length') this.#assertSize(framing.length);
  }

  get isWhole(): boolean {
    const { kind } = this.#framing;
    if (kind === 'length') return this.#size === this.#framing.length;
    return kind === 'chunked' && this.#decoder.isWhole;
  }

  /**
   * @param bytes are copied
   * @returns how many of them belong to the body
   * @throws Error of `badAnswer` when it is longer than allowed, or no body of its framing
   */
  take(bytes: Buffer): number {
    if (this.#framing.kind === 'chunked') return this.#decoder.take(bytes, (part) => this.#add(part));
    const { length } = this.#framing.kind === 'length' ? this.#framing : { length: Number.POSITIVE_INFINITY };
    const part = bytes.subarray(0, length - this.#size);
    this.#add(part);
    return part.length;
  }

  /** The connection has ended. @throws Error with the code `ECONNRESET` when that is not the end of the body */
  end(): void {
    if (this.#framing.kind !== 'close' && !this.isWhole) throw closedError('an answer that was cut short');
  }

  bytes(): Buffer {
    return Buffer.concat(this.#parts);
  }

  #add(part: Buffer): void {
    this.#size += part.length;
    this.#assertSize(this.#size);
    this.#parts.push(Buffer.from(part));
  }

  #assertSize(size: number): void {
    if (size > this.#most) throw badAnswer(`${this.#statusCode} with more than ${this.#most} bytes`);
  }
}
