import { badAnswer } from './errors.ts';

const CR = 0x0d;
const LF = 0x0a;
/** Most hex digits of a chunk's size: enough for every body that is collected. */
const MOST_DIGITS = 8;

/**
 * Decodes a body in chunks by RFC 9112, 7.1. Extensions and trailers are refused: no request asks for them.
 */
export class ChunkedDecoder {
  /** bytes of the chunk that are still to come */
  #left = 0;
  #digits = '';
  #awaited: 'size' | 'size-lf' | 'data' | 'data-cr' | 'data-lf' | 'last-cr' | 'last-lf' | 'nothing' = 'size';

  get isWhole(): boolean {
    return this.#awaited === 'nothing';
  }

  /**
   * @param onData gets parts of `bytes`
   * @returns how many of the bytes belong to the body: all of them, unless it is whole
   * @throws Error of `badAnswer`
   */
  take(bytes: Buffer, onData: (part: Buffer) => void): number {
    let at = 0;
    while (at < bytes.length && !this.isWhole) {
      if (this.#awaited === 'data') {
        const part = bytes.subarray(at, at + this.#left);
        onData(part);
        at += part.length;
        this.#left -= part.length;
        if (this.#left === 0) this.#awaited = 'data-cr';
      } else {
        this.#takeByte(bytes[at] as number);
        at += 1;
      }
    }
    return at;
  }

  #takeByte(byte: number): void {
    if (this.#awaited === 'size' && byte !== CR) {
      this.#takeDigit(byte);
      return;
    }
    const expected = this.#awaited.endsWith('-lf') ? LF : CR;
    if (byte !== expected || (this.#awaited === 'size' && this.#digits === '')) throw notChunked();
    this.#awaited = this.#next();
  }

  #takeDigit(byte: number): void {
    const digit = String.fromCharCode(byte);
    if (!/[0-9A-Fa-f]/.test(digit) || this.#digits.length === MOST_DIGITS) throw notChunked();
    this.#digits += digit;
  }

  #next() {
    switch (this.#awaited) {
      case 'size':
        return 'size-lf';
      case 'size-lf':
        this.#left = Number.parseInt(this.#digits, 16);
        this.#digits = '';
        return this.#left === 0 ? 'last-cr' : 'data';
      case 'data-cr':
        return 'data-lf';
      case 'data-lf':
        return 'size';
      case 'last-cr':
        return 'last-lf';
      default:
        return 'nothing';
    }
  }
}

const notChunked = () => badAnswer('an answer whose chunks cannot be read');
