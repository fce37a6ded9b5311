/** Bounds the bodies that are held in memory together. */
export class MemoryAllowance {
  readonly #limit: number;
  #used = 0;

  /** @param limit bytes */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes `bytes` until the returned function is called, once; `undefined` when there are not so many left. */
  take(bytes: number): (() => void) | undefined {
    if (this.#used + bytes > this.#limit) return undefined;
    this.#used += bytes;
    return () => {
      this.#used -= bytes;
    };
  }
}
