import { putTimeLimit } from '@largepayload/crds';
import { describe, expect, test } from 'vitest';
import { isExpired, isOlderThan, parseWindowName, windowForPut, windowName, windowWidth } from './window.ts';

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const NOON = Date.UTC(2026, 10, 24, 12, 34, 56, 789);

describe('the examples of the design', () => {
  test('TTL 12 s standalone: windows of 1 s, 3 s for a put, gone at ⌈t + 15 s⌉', () => {
    expect(windowWidth(12 * SECOND)).toBe(SECOND);
    expect(putTimeLimit(12 * SECOND)).toBe(3 * SECOND);
    expect(windowForPut(NOON, 12 * SECOND, 0).end).toBe(Date.UTC(2026, 10, 24, 12, 35, 12));
  });

  test('TTL 30 d in a cluster: windows of a day, 15 min for a put, the first midnight after t + 30 d 16 min', () => {
    expect(windowWidth(30 * DAY)).toBe(DAY);
    expect(putTimeLimit(30 * DAY)).toBe(15 * MINUTE);
    const end = (time: number) => windowForPut(time, 30 * DAY, MINUTE).end;
    expect(end(NOON)).toBe(Date.UTC(2026, 11, 25));
    expect(end(Date.UTC(2026, 10, 24, 23, 44))).toBe(Date.UTC(2026, 11, 25));
    expect(end(Date.UTC(2026, 10, 24, 23, 44, 0, 1))).toBe(Date.UTC(2026, 11, 26));
  });
});

test.each([
  [8 * SECOND, SECOND, 2 * SECOND],
  [39 * SECOND, SECOND, 9_750],
  [40 * SECOND, 5 * SECOND, 10 * SECOND],
  [2 * MINUTE, 15 * SECOND, 30 * SECOND],
  [8 * MINUTE, MINUTE, 2 * MINUTE],
  [40 * MINUTE, 5 * MINUTE, 10 * MINUTE],
  [HOUR, 5 * MINUTE, 15 * MINUTE],
  [2 * HOUR, 15 * MINUTE, 15 * MINUTE],
  [8 * HOUR, HOUR, 15 * MINUTE],
  [2 * DAY, 6 * HOUR, 15 * MINUTE],
  [8 * DAY, DAY, 15 * MINUTE],
  [55 * DAY, DAY, 15 * MINUTE],
  [56 * DAY, 7 * DAY, 15 * MINUTE],
  [3_650 * DAY, 7 * DAY, 15 * MINUTE],
])('TTL %d ms: windows of %d ms, %d ms for a put', (ttl, width, limit) => {
  expect(windowWidth(ttl)).toBe(width);
  expect(putTimeLimit(ttl)).toBe(limit);
});

test('kept for ever: 15 min for a put', () => {
  expect(putTimeLimit(undefined)).toBe(15 * MINUTE);
});

/** TTLs of 8 s to 3,650 d, about evenly spread over their magnitudes, and whole seconds. */
const TTLS = Array.from(
  { length: 400 },
  (_, index) => Math.round(8 * (3_650 * 10_800) ** (index / 399)) * SECOND,
);
/** Moments around which windows begin and end. */
const MOMENTS = [
  NOON,
  Date.UTC(2026, 11, 24),
  Date.UTC(2028, 1, 29) - 1,
  Date.UTC(2026, 0, 1) + 1,
  1_795_317_491_626,
];

describe.each([0, MINUTE, 10 * MINUTE])('with clocks at most %d ms apart, every put', (tolerance) => {
  function* puts() {
    for (const ttl of TTLS) {
      for (const moment of MOMENTS) {
        for (const offset of [0, 0.37, 0.999]) {
          const time = moment + Math.floor(offset * windowWidth(ttl));
          yield { ttl, time, window: windowForPut(time, ttl, tolerance) };
        }
      }
    }
  }

  test('leaves the payload its TTL from its latest acknowledgement on, in the first window that does', () => {
    for (const { ttl, time, window } of puts()) {
      const slack = window.end - tolerance - putTimeLimit(ttl) - (time + ttl);
      if (slack < 0 || slack >= windowWidth(ttl)) expect.fail(`TTL ${ttl}, put at ${time}: slack ${slack}`);
      if (window.end % windowWidth(ttl) !== 0) expect.fail(`TTL ${ttl}: ${window.end} is no window's end`);
    }
  });

  test('is over before its window is expired, or old enough to be cleaned up, on any of the clocks', () => {
    for (const { ttl, time, window } of puts()) {
      const acknowledged = time + putTimeLimit(ttl);
      for (const clock of [-tolerance, 0, tolerance]) {
        const now = acknowledged + clock;
        const taken = isExpired(window, now, tolerance) || isOlderThan(window, 0, now, tolerance);
        if (taken) expect.fail(`TTL ${ttl}, put at ${time}: taken at ${now}`);
        if (isExpired(window, now + ttl, tolerance)) expect.fail(`TTL ${ttl}, put at ${time}: expired early`);
      }
    }
  });

  test('was acknowledged when its window is old enough to be cleaned up, its clock and ours as far apart as is allowed', () => {
    for (const { ttl, time, window } of puts()) {
      const acknowledged = time + tolerance + putTimeLimit(ttl);
      if (isOlderThan(window, 0, acknowledged + tolerance, tolerance))
        expect.fail(`TTL ${ttl}, put at ${time}: cleaned up at once`);
    }
  });

  test('has a name that is read back', () => {
    for (const { window } of puts()) {
      if (windowName(window).length > 'expires-20261224T000000Z-999999999s'.length)
        expect.fail(windowName(window));
      const back = parseWindowName(windowName(window));
      if (back?.end !== window.end || back.ttl !== window.ttl) expect.fail(windowName(window));
    }
  });

  test('of a blob that is put again and again is in few windows that live at a time', () => {
    for (const ttl of TTLS) {
      const width = windowWidth(ttl);
      const bound = Math.ceil((ttl + putTimeLimit(ttl) + tolerance) / width) + 1;
      const now = NOON;
      const ends = new Set<number>();
      const longest = ttl + putTimeLimit(ttl) + 2 * tolerance + 2 * width;
      for (let time = now - longest; time <= now; time += width / 2) {
        const window = windowForPut(time, ttl, tolerance);
        if (!isExpired(window, now, 0)) ends.add(window.end);
      }
      if (ends.size > bound) expect.fail(`TTL ${ttl}: ${ends.size} windows, not ${bound}`);
    }
  });
});

test('a window is expired only when its end has passed on every clock', () => {
  const window = { end: NOON, ttl: DAY };
  expect(isExpired(window, NOON, 0)).toBe(false);
  expect(isExpired(window, NOON + 1, 0)).toBe(true);
  expect(isExpired(window, NOON + MINUTE, MINUTE)).toBe(false);
  expect(isExpired(window, NOON + MINUTE + 1, MINUTE)).toBe(true);
});

test('a window is older than an age when its youngest object can only be older', () => {
  const window = { end: NOON, ttl: DAY };
  expect(isOlderThan(window, HOUR, NOON - DAY + HOUR, 0)).toBe(false);
  expect(isOlderThan(window, HOUR, NOON - DAY + HOUR + 1, 0)).toBe(true);
  expect(isOlderThan(window, HOUR, NOON - DAY + HOUR + MINUTE, MINUTE)).toBe(false);
  expect(isOlderThan(window, HOUR, NOON - DAY + HOUR + MINUTE + 1, MINUTE)).toBe(true);
});

describe('names', () => {
  test.each([
    [{ end: Date.UTC(2026, 11, 24), ttl: 30 * DAY }, 'expires-20261224T000000Z-30d'],
    [{ end: Date.UTC(2026, 0, 2, 3, 4, 5), ttl: 12 * SECOND }, 'expires-20260102T030405Z-12s'],
    [{ end: Date.UTC(2028, 1, 29, 23, 59, 59), ttl: 90 * MINUTE }, 'expires-20280229T235959Z-90m'],
    [{ end: Date.UTC(9999, 11, 31), ttl: 36 * HOUR }, 'expires-99991231T000000Z-36h'],
  ])('%j is %s', (window, name) => {
    expect(windowName(window)).toBe(name);
    expect(parseWindowName(name)).toEqual(window);
  });

  test.each([
    '',
    'blobs',
    'expires-',
    'expires-20261224T000000Z',
    'expires-20261224T000000Z-',
    'expires-20261224T000000Z-30',
    'expires-20261224T000000Z-720h',
    'expires-20261224T000000Z-60s',
    'expires-20261224T000000Z-030d',
    'expires-20261224T000000Z-0d',
    'expires-20261224T000000Z-1.5d',
    'expires-20261224T000000Z-30D',
    'expires-20261224T000000Z-Forever',
    'expires-20261224T000000Z-99999999999999999999d',
    'expires-20260230T000000Z-30d',
    'expires-20261301T000000Z-30d',
    'expires-20260000T000000Z-30d',
    'expires-20261224T240000Z-30d',
    'expires-20261224T006000Z-30d',
    'expires-20261224T000060Z-30d',
    'expires-20261224t000000z-30d',
    'Expires-20261224T000000Z-30d',
    'expires-2026-12-24T00:00:00Z-30d',
    'expires-20261224T000000.000Z-30d',
    'expires-120261224T000000Z-30d',
    'expires-+010000-01-01T000000Z-30d',
    ' expires-20261224T000000Z-30d',
    'expires-20261224T000000Z-30d ',
    'expires-20261224T000000Z-30d\n',
    'expires-20261224T000000Z-30d.old',
    'expires-20261224T000000Z-30d/',
    'expires-２0261224T000000Z-30d',
  ])('%j is none', (name) => expect(parseWindowName(name)).toBeUndefined());
});
