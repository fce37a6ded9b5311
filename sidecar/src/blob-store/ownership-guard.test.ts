import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { OwnershipGuard } from './ownership-guard.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

test('one look serves many for its lifetime, `check` always makes a new one', async () => {
  const look = vi.fn(async () => {});
  const guard = new OwnershipGuard(look, 1_000);
  await Promise.all(Array.from({ length: 20 }, () => guard.assertOurs()));
  vi.advanceTimersByTime(999);
  await guard.assertOurs();
  expect(look).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(2);
  await guard.assertOurs();
  expect(look).toHaveBeenCalledTimes(2);
  await Promise.all([guard.check(), guard.check()]);
  expect(look).toHaveBeenCalledTimes(4);
});

test('the lifetime counts from when the look began, as what it saw may be that old', async () => {
  const look = vi.fn(async () => {
    vi.advanceTimersByTime(1_000);
  });
  const guard = new OwnershipGuard(look, 1_000);
  await guard.assertOurs();
  await guard.assertOurs();
  expect(look).toHaveBeenCalledTimes(2);
});

test('a failure ends what was known, whoever met it, and is not remembered', async () => {
  const failure = new Error('the store of others');
  let fails = false;
  const guard = new OwnershipGuard(async () => {
    if (fails) throw failure;
  }, 60_000);
  await guard.assertOurs();
  fails = true;
  await guard.assertOurs();
  await expect(guard.check()).rejects.toBe(failure);
  await expect(guard.assertOurs()).rejects.toBe(failure);
  fails = false;
  await guard.assertOurs();
});
