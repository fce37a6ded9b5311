import { formatDuration, parseDuration } from '@largepayload/crds/duration';
import { putTimeLimit } from '@largepayload/crds/put-time-limit';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;

const WIDTHS = [
  7 * DAY,
  DAY,
  6 * HOUR,
  HOUR,
  15 * MINUTE,
  5 * MINUTE,
  MINUTE,
  15 * SECOND,
  5 * SECOND,
  SECOND,
];

/** Milliseconds between two window ends (W of the design). */
export function windowWidth(ttl: number): number {
  return WIDTHS.find((width) => width <= ttl / 8) ?? SECOND;
}

/** An expiry window: what is stored in it under `ttl` (ms) may go after `end` (ms since the epoch, a whole second). */
export interface ExpiryWindow {
  readonly end: number;
  readonly ttl: number;
}

/**
 * The window of a PUT whose headers were parsed at `receivedAt` (ms since the epoch): the first end that leaves the
 * payload its whole TTL, however long the PUT takes (`putTimeLimit`) and however far clocks are apart (`clockToleranceMs`, ms).
 */
export function windowForPut(receivedAt: number, ttl: number, clockToleranceMs: number): ExpiryWindow {
  const width = windowWidth(ttl);
  const earliest = receivedAt + ttl + putTimeLimit(ttl) + clockToleranceMs;
  return { end: Math.ceil(earliest / width) * width, ttl };
}

/** Whether every object of the window has outlived its TTL on every clock within `clockToleranceMs` (ms) of ours. */
export function isExpired(window: ExpiryWindow, now: number, clockToleranceMs: number): boolean {
  return window.end + clockToleranceMs < now;
}

/**
 * Whether the window's youngest object was put more than `age` (ms) ago on every clock within `clockToleranceMs` (ms) of
 * the storage's, as ours is. Such a window takes no more PUTs: the last one admitted to it was parsed at
 * end − TTL − D − C by a clock that may be C behind, had to be acknowledged D later, and ours may be C ahead.
 */
export function isOlderThan(
  window: ExpiryWindow,
  age: number,
  now: number,
  clockToleranceMs: number,
): boolean {
  return window.end - window.ttl + clockToleranceMs < now - age;
}

const WINDOW_NAME = /^expires-(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})Z-([1-9][0-9]*[smhd])$/;

/** The name asked for last: all puts of a store within a window's width ask for the same one. */
let latest: ExpiryWindow & { readonly name: string } = {
  end: 0,
  ttl: SECOND,
  name: nameOf({ end: 0, ttl: SECOND }),
};

/** `expires-20261224T000000Z-30d` */
export function windowName({ end, ttl }: ExpiryWindow): string {
  if (end !== latest.end || ttl !== latest.ttl) latest = { end, ttl, name: nameOf({ end, ttl }) };
  return latest.name;
}

function nameOf(window: ExpiryWindow): string {
  const end = new Date(window.end).toISOString().replace(/[-:]|\.\d{3}/g, '');
  return `expires-${end}-${formatDuration(window.ttl)}`;
}

/** The window of such a name; `undefined` when `windowName` would not have written it. */
export function parseWindowName(name: string): ExpiryWindow | undefined {
  const found = WINDOW_NAME.exec(name);
  // Most keys of a store without a TTL come here.
  if (found === null) return undefined;
  const [, year, month, day, hour, minute, second, ttlText = ''] = found;
  try {
    const end = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
    const window = { end, ttl: parseDuration(ttlText) };
    return windowName(window) === name ? window : undefined;
  } catch {
    // A time or a TTL that does not exist.
    return undefined;
  }
}
