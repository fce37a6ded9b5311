import { beforeEach, expect, test } from 'vitest';
import { RecentPaths } from './recent-paths.ts';

const SECOND = 1_000;

let time: number;
beforeEach(() => {
  time = 0;
});

/** /dev/shm is a tmpfs on every Linux. */
async function recentPaths(folder = '/dev/shm'): Promise<RecentPaths> {
  const recent = new RecentPaths(() => time);
  await recent.learn(folder);
  return recent;
}

test('a path is recent for fifteen seconds, and no longer than thirty', async () => {
  const recent = await recentPaths();
  expect(recent.has('a')).toBe(false);
  for (const start of [0, 7, 14, 15]) {
    time = 1_000_000 * start;
    recent.add('early');
    time += start * SECOND;
    recent.add('a');
    time += 15 * SECOND;
    expect(recent.has('a')).toBe(true);
    time += 15 * SECOND + 1;
    expect(recent.has('a')).toBe(false);
  }
});

test('after hours without any call nothing is recent', async () => {
  const recent = await recentPaths();
  recent.add('a');
  time += 3_600 * SECOND;
  expect(recent.has('a')).toBe(false);
});

test('of a million paths only the last thousands are kept', async () => {
  const recent = await recentPaths();
  for (let index = 0; index < 1_000_000; index += 1) recent.add(String(index));
  const kept = Array.from({ length: 1_000_000 }, (_, index) => recent.has(String(index))).filter(Boolean);
  expect(kept.length).toBeLessThanOrEqual(2 * 4_096);
  expect(recent.has(String(1_000_000 - 4_096))).toBe(true);
});

test.each(['/proc', '/sys'])(
  'no path below %s is ever recent, because its filesystem is not a known local one',
  async (folder) => {
    const recent = await recentPaths(folder);
    recent.add('a');
    expect(recent.has('a')).toBe(false);
  },
);

test('nothing is recent before the filesystem is known', () => {
  const recent = new RecentPaths(() => time);
  recent.add('a');
  expect(recent.has('a')).toBe(false);
});
