/** Waits that double with every failure, in ms, each spread so that clients that failed together do not come together. */
export class Backoff {
  readonly #first: number;
  readonly #longest: number;
  #failures = 0;

  constructor({ first, longest }: { first: number; longest: number }) {
    this.#first = first;
    this.#longest = longest;
  }

  /** since the last `reset` */
  get failures(): number {
    return this.#failures;
  }

  /** How long to wait after one more failure: between half and all of what its number gives. */
  next(): number {
    const full = Math.min(this.#first * 2 ** this.#failures, this.#longest);
    this.#failures += 1;
    return full * (0.5 + Math.random() / 2);
  }

  reset(): void {
    this.#failures = 0;
  }
}
