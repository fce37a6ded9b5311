import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { OwnershipGuard } from './ownership-guard.ts';

const STORAGE_ID = 'payments/orders/1';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

test('one look serves many for its lifetime, `check` always makes a new one', async () => {
  const look = vi.fn(async () => STORAGE_ID);
  const guard = new OwnershipGuard(look, 1_000);
  await Promise.all(Array.from({ length: 20 }, () => guard.assertOurs()));
  vi.advanceTimersByTime(999);
  await guard.assertOurs();
  // The first id is read twice.
  expect(look).toHaveBeenCalledTimes(2);
  vi.advanceTimersByTime(2);
  await guard.assertOurs();
  expect(look).toHaveBeenCalledTimes(3);
  await Promise.all([guard.check(), guard.check()]);
  expect(look).toHaveBeenCalledTimes(5);
});

test('the lifetime counts from when the look began, as what it saw may be that old', async () => {
  const look = vi.fn(async () => {
    vi.advanceTimersByTime(1_000);
    return STORAGE_ID;
  });
  const guard = new OwnershipGuard(look, 1_000);
  await guard.assertOurs();
  await guard.assertOurs();
  expect(look).toHaveBeenCalledTimes(3);
});

test('a failure ends what was known, whoever met it, and is not remembered', async () => {
  const failure = new Error('the store of others');
  let fails = false;
  const guard = new OwnershipGuard(async () => {
    if (fails) throw failure;
    return STORAGE_ID;
  }, 60_000);
  await guard.assertOurs();
  fails = true;
  await guard.assertOurs();
  await expect(guard.check()).rejects.toBe(failure);
  await expect(guard.assertOurs()).rejects.toBe(failure);
  fails = false;
  await guard.assertOurs();
});

test("a storage of another id is not the store's, and the first one is again", async () => {
  let found = STORAGE_ID;
  const guard = new OwnershipGuard(async () => found, 0);
  expect(guard.storageID).toBeUndefined();
  await guard.assertOurs();
  found = 'payments/orders/2';
  await expect(guard.check()).rejects.toMatchObject({
    failure: 'unavailable',
    message: expect.stringContaining(
      "says payments/orders/2, and the store's payloads are in payments/orders/1",
    ),
  });
  await expect(guard.assertOurs()).rejects.toThrow('another storage');
  expect(guard.storageID).toBe(STORAGE_ID);
  found = STORAGE_ID;
  await guard.assertOurs();
});

test('an id that was altered on the way is not kept', async () => {
  const answers = ['payments/orders/9', STORAGE_ID, STORAGE_ID, STORAGE_ID, 'payments/orders/8', STORAGE_ID];
  const guard = new OwnershipGuard(async () => answers.shift() ?? STORAGE_ID, 0);
  await expect(guard.check()).rejects.toThrow('read as payments/orders/9, and then as payments/orders/1');
  expect(guard.storageID).toBeUndefined();
  await guard.check();
  expect(guard.storageID).toBe(STORAGE_ID);
  await guard.check();
  await guard.check();
  expect(answers).toEqual([]);
});
