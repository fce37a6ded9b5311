const NEWLINE = 0x0a;

/** Cuts a stream of bytes into lines of JSON. Lines are cut as bytes and decoded whole, so a character may be split between chunks. */
export class JsonLines {
  readonly #largest: number;
  #pieces: Buffer[] = [];
  #size = 0;

  /** @param largest bytes that a line may have */
  constructor(largest: number) {
    this.#largest = largest;
  }

  /** The values that this chunk completes. @throws Error for a line that is too long or no JSON */
  *push(chunk: Buffer): Generator<unknown> {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(NEWLINE, start);
      this.#keep(chunk.subarray(start, end === -1 ? chunk.length : end));
      if (end === -1) return;
      start = end + 1;
      const text = this.#take();
      if (text !== '') yield JSON.parse(text);
    }
  }

  /** @throws Error when the stream ended within a line */
  end(): void {
    if (this.#size > 0) throw new Error(`the stream ended within a line, after ${this.#size} bytes of it`);
  }

  #keep(piece: Buffer): void {
    if (piece.length === 0) return;
    this.#size += piece.length;
    if (this.#size > this.#largest) throw new Error(`a line has more than ${this.#largest} bytes`);
    this.#pieces.push(piece);
  }

  #take(): string {
    const [first] = this.#pieces;
    const line = this.#pieces.length === 1 && first !== undefined ? first : Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#size = 0;
    return line.toString('utf8').trim();
  }
}
