/** One instant on both clocks: the wall clock chooses the window, the monotonic clock measures. */
export interface Moment {
  /** ms since the epoch */
  readonly wallTime: number;
  /** ms, as `performance.now()` */
  readonly monotonicTime: number;
}

export function momentNow(): Moment {
  return { wallTime: Date.now(), monotonicTime: performance.now() };
}

/** ms since then, on whichever clock shows more: the monotonic one stands still while a machine sleeps. */
export function elapsedSince({ wallTime, monotonicTime }: Moment): number {
  return Math.max(Date.now() - wallTime, performance.now() - monotonicTime);
}
