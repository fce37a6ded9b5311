import type { BootTime } from '../../time/boot-time.ts';
import { type Lag, MOST_LAGS } from './clock-lags.ts';

/** All processes get it; gateways and standalone processes put it. Nobody deletes it. */
export const CLOCK_NAME = 'clock.json';

/** What processes of a store learned about time, as `clock.json` keeps it. All are ms, or ms since the epoch. */
export interface ClockRecord {
  /** the latest time known for sure; `undefined`: none is */
  readonly mark: number | undefined;
  /** what the clock of the writer showed */
  readonly seen: number;
  /** the same moment on the clock that a boot of the writer's machine has; `undefined`: not known */
  readonly boot?: BootTime | undefined;
  /** how far deletion lags, because of steps of the clock */
  readonly lags: readonly Lag[];
  /** for how long the clock has run evenly, in agreement with the storage's, while the mark could not follow */
  readonly agreedFor: number;
  /** how often a person accepted the clock; a record of more acceptances replaces one of fewer, whatever its mark */
  readonly acceptances: number;
  /** the longest TTL that payloads were stored under */
  readonly longestTtl: number;
}

const YEAR = 366 * 86_400_000;
/** No clock that is right shows anything else while this service exists. */
const EARLIEST = Date.parse('2020-01-01T00:00:00Z');
const LATEST = Date.parse('2200-01-01T00:00:00Z');
const LONGEST = 200 * YEAR;
const MOST_ACCEPTANCES = 1_000_000_000;

export function formatClockRecord({ mark, seen, lags, ...numbers }: ClockRecord): string {
  const fields = {
    mark: mark === undefined ? null : isoTime(mark),
    seen: isoTime(seen),
    lags: lags.map(({ by, until }) => ({ by, until: isoTime(until) })),
    ...numbers,
  };
  return `${JSON.stringify(fields)}\n`;
}

/** `undefined`: it is not what this service writes. Times that no clock shows count as that, too. */
export function parseClockRecord(text: string): ClockRecord | undefined {
  try {
    const { mark, seen, boot, lags, agreedFor, acceptances, longestTtl } = JSON.parse(text);
    if (!Array.isArray(lags) || lags.length > MOST_LAGS) return undefined;
    return {
      mark: mark === null ? undefined : timeOf(mark, LATEST),
      seen: timeOf(seen, LATEST),
      ...(boot !== undefined && { boot: bootOf(boot) }),
      lags: lags.map(({ by, until }) => ({ by: upTo(LONGEST, by), until: timeOf(until, LATEST + LONGEST) })),
      agreedFor: upTo(LONGEST, agreedFor),
      acceptances: upTo(MOST_ACCEPTANCES, acceptances),
      longestTtl: upTo(LONGEST, longestTtl),
    };
  } catch {
    // Not JSON, or not an object of these fields.
    return undefined;
  }
}

/** Whether a record with this time can be read again. */
export function isPossibleTime(time: number): boolean {
  return time >= EARLIEST && time < LATEST;
}

function isoTime(time: number): string {
  return new Date(time).toISOString();
}

function timeOf(value: unknown, latest: number): number {
  const time = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  if (time >= EARLIEST && time < latest) return time;
  throw new RangeError('not a time of this service');
}

function bootOf({ id, at }: { id?: unknown; at?: unknown }): BootTime {
  if (typeof id === 'string' && /^[\w-]{1,64}$/.test(id)) return { id, at: upTo(LONGEST, at) };
  throw new RangeError('not a boot of this service');
}

function upTo(most: number, value: unknown): number {
  if (typeof value === 'number' && value >= 0 && value <= most) return value;
  throw new RangeError('not a number of this service');
}
