import { putTimeLimit } from '@largepayload/crds';
import { windowWidth } from '../../keys/window.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
/** The longest TTL that a store can have (ms). */
const LONGEST_TTL = 3_650 * DAY;

export interface ClockFacts {
  /** ms; `undefined`: payloads are kept for ever */
  readonly ttl: number | undefined;
  /** ms between the starts of the reaper's passes */
  readonly reaperInterval: number;
  /** the difference allowed between the clocks of any two processes, ms */
  readonly clockToleranceMs: number;
  /** whether the storage is likely to have a clock of its own: a bucket; a folder has this machine's */
  readonly storageHasClock: boolean;
}

/** How a store judges what its clock shows. */
export interface ClockRules extends Omit<ClockFacts, 'reaperInterval'> {
  /** the longest gap (ms) from the mark to the time that deletion goes by; while it is longer, and so implausible, nothing is deleted */
  readonly gapLimitMs: number;
}

export function clockRules({ ttl, reaperInterval, ...facts }: ClockFacts): ClockRules {
  return { ...facts, ttl, gapLimitMs: Math.max(DAY, 10 * reaperInterval, (ttl ?? 0) / 10) };
}

export interface Gap {
  /** ms from the mark to a later time; `Infinity`: there is no mark */
  readonly gap: number;
  /** ms for which the clock has run evenly, in agreement with the storage's, since the gap appeared */
  readonly agreedFor: number;
}

/**
 * ms for which the clock has to run evenly, in agreement with the storage's, until the mark follows it. The clock of a
 * bucket confirms ours at once, unless the gap is implausible: both may be those of one machine. A folder has no second
 * clock, so only running confirms ours.
 */
function agreementNeeded(gap: number, { gapLimitMs, storageHasClock }: ClockRules): number {
  if (gap <= gapLimitMs) return storageHasClock ? 0 : HOUR;
  return storageHasClock ? HOUR : DAY;
}

/** Whether the mark may follow the clock now. */
export function isConfirmed({ gap, agreedFor }: Gap, rules: ClockRules): boolean {
  return agreedFor >= agreementNeeded(gap, rules);
}

/** ms until deletion goes on by itself, as long as the clocks agree; `undefined`: it need not wait. */
export function deletionWait({ gap, agreedFor }: Gap, rules: ClockRules): number | undefined {
  if (gap <= rules.gapLimitMs) return undefined;
  return Math.max(0, agreementNeeded(gap, rules) - agreedFor);
}

/**
 * Whether the clock may have run on evenly from what a process before this one saw. A gap of that process may then be
 * confirmed by the time that both have run.
 */
export function runsOn(seen: number, now: number, { gapLimitMs, clockToleranceMs }: ClockRules): boolean {
  return now >= seen - Math.max(clockToleranceMs, 1_000) && now - seen <= gapLimitMs;
}

/** ms after a step of the clock in which everything that was placed before it has outlived its TTL */
export function lifetimeOfPlaced(longestTtl: number, { ttl, clockToleranceMs }: ClockRules): number {
  const longest = ttl === undefined ? LONGEST_TTL : Math.max(ttl, longestTtl);
  return longest + putTimeLimit(longest) + 2 * clockToleranceMs + windowWidth(longest);
}
