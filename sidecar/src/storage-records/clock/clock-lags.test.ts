import { expect, test } from 'vitest';
import { type Lag, lagAt, lagEnd, lagsAfterStep, MOST_LAGS, mergeLags } from './clock-lags.ts';

const HOUR = 3_600_000;
const LIFETIME = 12 * HOUR;
const NOON = Date.UTC(2026, 5, 1, 12);

const step = (lags: readonly Lag[], by: number, now: number) =>
  mergeLags(lags, lagsAfterStep(lags, { by, now, lifetime: LIFETIME }));

test('a step delays what was placed before it, until all of that is due', () => {
  const lags = step([], 2 * HOUR, NOON);
  expect(lagAt(lags, NOON)).toBe(2 * HOUR);
  expect(lagAt(lags, NOON + LIFETIME - 1)).toBe(2 * HOUR);
  expect(lagAt(lags, NOON + LIFETIME)).toBe(0);
  expect(lagEnd(lags, NOON)).toBe(NOON + LIFETIME);
  expect(lagEnd(lags, NOON + LIFETIME)).toBeUndefined();
});

test('two steps delay by both what was placed before the first, and by the second what was placed between', () => {
  const lags = step(step([], 2 * HOUR, NOON), 3 * HOUR, NOON + 6 * HOUR);
  expect(lagAt(lags, NOON + 6 * HOUR)).toBe(5 * HOUR);
  // What was placed before the first is due 12 h after it by an even clock, which the second step moved on.
  expect(lagAt(lags, NOON + LIFETIME + 3 * HOUR - 1)).toBe(5 * HOUR);
  expect(lagAt(lags, NOON + LIFETIME + 3 * HOUR)).toBe(3 * HOUR);
  expect(lagAt(lags, NOON + 6 * HOUR + LIFETIME)).toBe(0);
});

test('steps that are over are not counted again', () => {
  const lags = step(step([], 2 * HOUR, NOON), 3 * HOUR, NOON + LIFETIME + 4 * HOUR);
  expect(lagAt(lags, NOON + LIFETIME + 4 * HOUR)).toBe(3 * HOUR);
});

test('what several processes learned of one step is one step, in any order', () => {
  const one = step([], 2 * HOUR, NOON);
  const other = step([], 2 * HOUR - 300, NOON + 800);
  const merged = mergeLags(one, other);
  expect(mergeLags(other, one)).toEqual(merged);
  expect(mergeLags(merged, one, other)).toEqual(merged);
  expect(lagAt(merged, NOON + 1)).toBe(2 * HOUR);
});

test('a clock that steps all the time fills no memory, and never lags less than it should', () => {
  let lags: readonly Lag[] = [];
  for (let hour = 0; hour < 200; hour += 1) {
    const now = NOON + 2 * hour * HOUR;
    lags = step(lags, HOUR, now);
    expect(lags.length).toBeLessThanOrEqual(MOST_LAGS);
    // Of each two hours one is a step: 12 h of life by an even clock see twelve of them.
    expect(lagAt(lags, now)).toBeGreaterThanOrEqual(Math.min(hour + 1, 12) * HOUR);
  }
  expect(lagAt(lags, NOON + 400 * HOUR + LIFETIME)).toBe(0);
});
