/**
 * Measures how long something took by the monotonic clock, which no adjustment moves, and by the wall clock, which goes on
 * while the machine sleeps: the longer of the two.
 */
export class Stopwatch {
  readonly #monotonicStart = performance.now();
  readonly #wallStart = Date.now();

  /** Milliseconds since it was made. */
  elapsedMs(): number {
    return Math.max(performance.now() - this.#monotonicStart, Date.now() - this.#wallStart);
  }
}
