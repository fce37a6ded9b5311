import type { Refusal } from '../observed.ts';
import type { StoreResource } from '../read-store.ts';
import { type Attempt, isElsewhere, isRefused } from './attempt.ts';

/** Until a refused write is tried again, longer each time: a quota may have been raised, a namespace made. */
const FIRST_RETRY_MS = 2_000;
const LONGEST_RETRY_MS = 60_000;
/** Of all stores together, ten objects of other namespaces are tried again in a second. */
const SHARE_MS = 100;

/**
 * An object of another namespace that could not be written. It is tried again at its own pace, and not in each round: who may edit a
 * store can name 64 namespaces that do not exist.
 */
export interface Postponed {
  /** monotonic */
  readonly untilMs: number;
  readonly tries: number;
  /** absent: an object of others is in the way */
  readonly refusal?: Refusal | undefined;
}

/**
 * Of an object of another namespace: longer where many are postponed, so that who makes many stores delays no other store.
 * @param postponed of all stores
 */
export function longestRetryMs(postponed: number): number {
  return Math.max(LONGEST_RETRY_MS, postponed * SHARE_MS);
}

/** @param tries that were refused so far */
export function retryAfterMs(tries: number, longestMs = LONGEST_RETRY_MS): number {
  return Math.min(FIRST_RETRY_MS * 2 ** tries, longestMs);
}

/** What is postponed after a round with these attempts, by identity of the object. */
export function postponedAfter(
  before: ReadonlyMap<string, Postponed>,
  attempts: ReadonlyMap<string, Attempt>,
  store: StoreResource,
  nowMs: number,
  longestMs: number,
): ReadonlyMap<string, Postponed> {
  // An object that is desired no longer is not tried again, and its entry is dropped.
  const after = new Map([...before].filter(([, { untilMs }]) => untilMs + longestMs > nowMs));
  for (const [identity, attempt] of attempts) {
    after.delete(identity);
    if (!isRefused(attempt, store) || !isElsewhere(attempt, store)) continue;
    const tries = (before.get(identity)?.tries ?? 0) + 1;
    const refusal = attempt.refused?.refusal;
    after.set(identity, { untilMs: nowMs + retryAfterMs(tries - 1, longestMs), tries, refusal });
  }
  return after;
}

export function isPostponed(postponed: Postponed | undefined, nowMs: number): boolean {
  return postponed !== undefined && postponed.untilMs > nowMs;
}
