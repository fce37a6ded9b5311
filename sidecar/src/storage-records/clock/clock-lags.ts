/** Deletion lags `by` ms behind our clock until our clock shows `until` (ms since the epoch). */
export interface Lag {
  readonly by: number;
  readonly until: number;
}

/** Entries kept; a record of more would not fit into a small object. */
export const MOST_LAGS = 16;

/** ms that deletion lags behind a clock which shows `now` */
export function lagAt(lags: readonly Lag[], now: number): number {
  return Math.max(0, ...lags.filter(({ until }) => until > now).map(({ by }) => by));
}

/** When the last lag ends; `undefined`: there is none. */
export function lagEnd(lags: readonly Lag[], now: number): number | undefined {
  const ends = lags.map(({ until }) => until).filter((until) => until > now);
  return ends.length === 0 ? undefined : Math.max(...ends);
}

/**
 * The longest lag of all lists at any time. In any order and however often it is done, the result is the same, so that
 * several processes may learn of one step.
 */
export function mergeLags(...lists: readonly (readonly Lag[])[]): readonly Lag[] {
  const byEnd = lists.flat().sort((a, b) => b.until - a.until || b.by - a.by);
  const kept: Lag[] = [];
  for (const lag of byEnd) if (lag.by > (kept.at(-1)?.by ?? 0)) kept.push(lag);
  while (kept.length > MOST_LAGS) {
    const [first, second] = kept.splice(-2) as [Lag, Lag];
    // Longer than needed, never shorter.
    kept.push({ by: second.by, until: first.until });
  }
  return kept;
}

/**
 * After a step forwards by `by` ms, to `now`. What was placed before it is due this much later than its window says; what
 * was placed before an earlier step, by both.
 * @param lifetime ms in which everything that was placed before the step has outlived its TTL
 */
export function lagsAfterStep(
  lags: readonly Lag[],
  { by, now, lifetime }: { by: number; now: number; lifetime: number },
): readonly Lag[] {
  // Whole ones, so that they are the same after they were stored.
  const step = Math.ceil(by);
  const active = lags.filter(({ until }) => until > now - step);
  return [
    { by: step, until: Math.ceil(now + lifetime) },
    ...active.map((lag) => ({ by: lag.by + step, until: lag.until + step })),
  ];
}
