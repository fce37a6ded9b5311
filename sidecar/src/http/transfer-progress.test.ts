import { expect, test } from 'vitest';
import { leastRate, mayMakeRoom } from './transfer-progress.ts';

const KIB = 1024;

test.each([
  [0, 16 * KIB],
  [10_000, 32 * KIB],
  [20_000, 64 * KIB],
  [60_000, 256 * KIB],
  [3_600_000, 256 * KIB],
])('a peer that was waited for %i ms has to move %i bytes a second while others wait', (age, rate) => {
  expect(leastRate(age)).toBe(rate);
});

test.each([
  ['hardly waited for', { rate: 0, age: 900 }, 1_000, false],
  ['slow', { rate: 4 * KIB, age: 2_000 }, 0, true],
  ['not slow for its age', { rate: 30 * KIB, age: 2_000 }, 0, false],
  ['slow for its age', { rate: 30 * KIB, age: 12_000 }, 0, true],
  ['fast, of a peer with more than its share', { rate: 10_000 * KIB, age: 2_000 }, 1, true],
  ['fast, of a peer with its share', { rate: 10_000 * KIB, age: 2_000 }, 0, false],
])('a transfer that is %s', (_name, progress, excess, may) => {
  expect(mayMakeRoom(progress, excess)).toBe(may);
});

test('a peer that was not read for 2 s may take as long again to begin, and no longer', () => {
  expect(mayMakeRoom({ rate: 0, age: 2_900 }, 0, 2_000)).toBe(false);
  expect(mayMakeRoom({ rate: 0, age: 3_100 }, 0, 2_000)).toBe(true);
});
