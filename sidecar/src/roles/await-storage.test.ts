import { MemoryDriver } from '@largepayload/testing/drivers/memory-driver';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { AwaitedDriver } from '../drivers/awaited-driver.ts';
import { never } from '../drivers/conformance/subject.ts';
import { StorageError } from '../errors/storage-error.ts';
import { awaitStorage, pauseAfter } from './await-storage.ts';

// A thousand times as fast.
vi.mock('node:timers/promises', async (original) => {
  const real = await original<typeof import('node:timers/promises')>();
  const setTimeout = (pause: number, ...rest: [undefined, object]) => real.setTimeout(pause / 1_000, ...rest);
  return { ...real, setTimeout };
});

async function drained(all: AsyncIterable<unknown>): Promise<void> {
  for await (const _each of all);
}

const log = pino({ level: 'silent' });
let awaited: AwaitedDriver;
beforeEach(() => {
  awaited = new AwaitedDriver('memory');
});
afterEach(() => {
  vi.restoreAllMocks();
});

test('pauses double from a second to fifteen, a fifth longer or shorter', () => {
  const pauses = [0, 1, 2, 3, 4, 5, 100].map((failures) => pauseAfter(failures, 0.5));
  expect(pauses).toEqual([1_000, 2_000, 4_000, 8_000, 15_000, 15_000, 15_000]);
  expect(pauseAfter(0, 0)).toBeCloseTo(800);
  expect(pauseAfter(9, 1)).toBeCloseTo(18_000);
});

test('until the driver arrives every call rejects with the last reason, and then it is that driver', async () => {
  const calls = [
    () => awaited.begin('a', { size: 0, digest: '' }, { signal: never() }),
    () => awaited.open('a', never()),
    () => drained(awaited.listLevel('', never())),
    () => drained(awaited.list('a/', never())),
    () => awaited.delete(['a'], never()),
    () => awaited.removeFolder('a/', never()),
    () => awaited.currentTime(never()),
  ];
  for (const attempt of calls) {
    await expect(attempt()).rejects.toMatchObject({ failure: 'unavailable', message: /not reached yet/ });
  }
  const reason = new StorageError('denied', 'no');
  awaited.stillWaiting(reason);
  for (const attempt of calls) await expect(attempt()).rejects.toBe(reason);
  const driver = new MemoryDriver(1024);
  awaited.arrive(driver);
  for (const attempt of calls.slice(1)) await attempt();
  const close = vi.spyOn(driver, 'close');
  await awaited.close();
  expect(close).toHaveBeenCalledTimes(1);
});

test('one reason is logged once, another one too, and then that it is over', async () => {
  const told: unknown[] = [];
  vi.spyOn(log, 'warn').mockImplementation((fields: unknown) => void told.push(fields));
  const info = vi.spyOn(log, 'info');
  const reasons = ['no bucket', 'no bucket', 'denied'];
  const driver = new MemoryDriver(1024);
  const attempt = async () => {
    const reason = reasons.shift();
    if (reason !== undefined) throw new StorageError('unavailable', reason);
    return driver;
  };
  await awaitStorage(awaited, attempt, log, never());
  expect(told).toEqual([{ reason: 'no bucket' }, { reason: 'denied' }]);
  expect(info).toHaveBeenCalledTimes(1);
  await awaited.currentTime(never());
});

test('an abort ends the waiting at once', async () => {
  const stop = new AbortController();
  const arrival = awaitStorage(awaited, () => Promise.reject(new Error('no')), log, stop.signal);
  await new Promise(setImmediate);
  stop.abort();
  await arrival;
  await expect(awaited.currentTime(never())).rejects.toThrow('no');
});
