/** Pauses (ms) that double with each failure. Each has a random part, so that clients that failed together do not return together. */
export class Backoff {
  readonly #firstMs: number;
  readonly #longestMs: number;
  /** since the last `reset` */
  #failures = 0;

  constructor({ firstMs, longestMs }: { firstMs: number; longestMs: number }) {
    this.#firstMs = firstMs;
    this.#longestMs = longestMs;
  }

  /** How long to wait after one more failure: between half and all of the doubled pause. */
  next(): number {
    const full = Math.min(this.#firstMs * 2 ** this.#failures, this.#longestMs);
    this.#failures += 1;
    return full * (0.5 + Math.random() / 2);
  }

  reset(): void {
    this.#failures = 0;
  }
}
