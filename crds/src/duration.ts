import { excerpt } from './message-parts.ts';

/** Describes a duration in messages. */
export const DURATION_IN_WORDS = 'a duration such as 30s, 12h or 30d';

/** Largest first, as formatting takes the first unit that divides. */
const MILLISECONDS = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000 } as const;
type Unit = keyof typeof MILLISECONDS;

/** A text that is no duration, or a number that no duration text can express. */
export class DurationError extends Error {
  override readonly name = 'DurationError';
}

/**
 * Reads one whole number and one unit (`30s`, `15m`, `12h`, `30d`) as milliseconds.
 * @throws DurationError for any other text, and for more milliseconds than a number holds exactly.
 */
export function parseDuration(text: string): number {
  const [, count, unit] = /^([1-9][0-9]*)([smhd])$/.exec(text) ?? [];
  if (count === undefined || unit === undefined) {
    throw new DurationError(`${excerpt(text)}: expected ${DURATION_IN_WORDS}`);
  }
  const milliseconds = Number(count) * MILLISECONDS[unit as Unit];
  if (!Number.isSafeInteger(milliseconds)) throw new DurationError(`${excerpt(text)}: too long a duration`);
  return milliseconds;
}

/**
 * Writes milliseconds with the largest unit that divides them: 30 days are `30d`, 36 hours `36h`.
 * @throws DurationError unless given a positive, safe, whole number of seconds.
 */
export function formatDuration(milliseconds: number): string {
  if (Number.isSafeInteger(milliseconds) && milliseconds > 0) {
    for (const [unit, length] of Object.entries(MILLISECONDS)) {
      if (milliseconds % length === 0) return `${milliseconds / length}${unit}`;
    }
  }
  throw new DurationError(`${milliseconds} ms: a duration is a positive whole number of seconds`);
}
