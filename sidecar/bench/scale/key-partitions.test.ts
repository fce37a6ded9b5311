import { expect, test } from 'vitest';
import { KeyPartitions } from './key-partitions.ts';

const RULES = { putsPerSecond: 100, splitAfterMs: 3_000 };

/** The share of the PUTs of one second that are taken, their keys spread evenly behind the prefix. */
function shareTaken(
  partitions: KeyPartitions,
  prefix: string,
  putsPerSecond: number,
  second: number,
): number {
  const taken = Array.from({ length: putsPerSecond }, (_, put) => {
    const key = `${prefix}${((put * 37) % 100).toString().padStart(2, '0')}`;
    return partitions.takes(key, second * 1_000 + (put * 1_000) / putsPerSecond);
  });
  return taken.filter(Boolean).length / putsPerSecond;
}

test('a partition takes its rate, refuses what exceeds it until it is split, and takes all afterwards', () => {
  const partitions = new KeyPartitions(RULES, [], 0);
  const shares = Array.from({ length: 8 }, (_, second) => shareTaken(partitions, 'a/', 150, second));
  // The allowance of the first second is that of the second before it.
  expect(shares[2]).toBeCloseTo(100 / 150, 1);
  expect(shares[3]).toBeCloseTo(100 / 150, 1);
  expect(shares.slice(6)).toEqual([1, 1]);
  expect(partitions.count).toBe(2);
});

test('a rate within the budget is never refused, and nothing is split', () => {
  const partitions = new KeyPartitions(RULES, [], 0);
  for (let second = 0; second < 10; second += 1) expect(shareTaken(partitions, 'a/', 100, second)).toBe(1);
  expect(partitions.count).toBe(1);
});

test('a partition that rested has saved the PUTs of one second', () => {
  const partitions = new KeyPartitions(RULES, [], 0);
  expect(shareTaken(partitions, 'a/', 400, 60)).toBeCloseTo(200 / 400, 1);
});

test('keys after all boundaries share the last partition, and keys between them do not', () => {
  const partitions = new KeyPartitions(RULES, ['a/50'], 0);
  for (let second = 0; second < 3; second += 1) expect(shareTaken(partitions, 'a/', 180, second)).toBe(1);
  for (let second = 3; second < 5; second += 1) shareTaken(partitions, 'b/', 180, second);
  expect(shareTaken(partitions, 'b/', 180, 5)).toBeCloseTo(100 / 180, 1);
});
