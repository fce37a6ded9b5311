import { expect, test } from 'vitest';
import { RecentEvents } from './recent-events.ts';

const MINUTE = 60_000;

test('the same Event of an object is sent once in ten minutes', () => {
  const recent = new RecentEvents();
  const isSaid = (uid: string, content: string, at: number) => recent.admit(uid, content, at) !== undefined;
  expect(isSaid('u1', 'x', 0)).toBe(true);
  expect(isSaid('u1', 'x', 10 * MINUTE - 1)).toBe(false);
  expect(isSaid('u2', 'x', 1)).toBe(true);
  expect(isSaid('u1', 'y', 1)).toBe(true);
  expect(isSaid('u1', 'x', 10 * MINUTE)).toBe(true);
  expect(isSaid('u1', 'x', 10 * MINUTE + 1)).toBe(false);
});

test('an Event that could not be sent may be sent again', () => {
  const recent = new RecentEvents();
  recent.admit('u1', 'x', 0)?.();
  expect(recent.admit('u1', 'x', 1)).toBeDefined();
});

test('an object has 25 Events at once, and one more every five minutes', () => {
  const recent = new RecentEvents();
  const saidOf = (from: number, at: number) =>
    Array.from({ length: 100 }, (_, n) => recent.admit('u1', `${from + n}`, at)).filter(Boolean).length;
  expect(saidOf(0, 0)).toBe(25);
  expect(saidOf(1_000, 5 * MINUTE)).toBe(1);
  expect(saidOf(2_000, 6 * MINUTE)).toBe(0);
  expect(saidOf(3_000, 20 * MINUTE)).toBe(3);
  expect(saidOf(4_000, 1_000 * MINUTE)).toBe(25);
});

test('of too many objects the one without Events for longest is forgotten', () => {
  const recent = new RecentEvents();
  for (let n = 0; n < 4_097; n += 1) recent.admit(`u${n}`, 'x', 0);
  expect(recent.admit('u1', 'x', 1)).toBeUndefined();
  expect(recent.admit('u0', 'x', 1)).toBeDefined();
});
