import { parseDuration } from '@largepayload/crds';
import { MemoryDriver } from '@largepayload/testing/drivers/memory-driver';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { TestStore } from '../drivers/conformance/subject.ts';
import { StorageError } from '../errors/storage-error.ts';
import type { Reaper } from './reaper.ts';
import { EXPIRED, fill, reaperOn } from './stores.fixture.ts';

const MAX_TIMER = 2 ** 31 - 1;

let store: TestStore;
let stop: AbortController;
let running: Promise<void> | undefined;
beforeEach(() => {
  const driver = new MemoryDriver(1024 * 1024);
  store = new TestStore({ driver, stop: () => driver.close() });
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await running;
  running = undefined;
});

function run(reaper: Reaper): Promise<void> {
  running = reaper.run(stop.signal);
  return running;
}

/** Passes made so far: each lists the windows once. */
function passes(): () => number {
  const list = vi.spyOn(store.driver, 'listLevel');
  return () => list.mock.calls.filter(([prefix]) => prefix === 'expires-').length;
}

async function until(condition: () => boolean): Promise<void> {
  await vi.waitUntil(condition, { timeout: 5_000, interval: 5 });
}

test('passes begin at once and go on', async () => {
  const count = passes();
  await fill(store, EXPIRED);
  const reaper = reaperOn(store, { intervalMs: 20 });
  expect(reaper.status).toEqual({ lastCompletedTime: undefined, lastError: undefined });
  void run(reaper);
  await until(() => count() >= 3);
  expect(await store.names()).toEqual([]);
  expect(Date.parse(reaper.status.lastCompletedTime ?? '')).toBeGreaterThan(Date.now() - 60_000);
});

test.each(['3650d', '30d', '25d', '1h'])(
  'an interval of %s is waited for, not spun through',
  async (interval) => {
    const count = passes();
    void run(reaperOn(store, { intervalMs: parseDuration(interval) }));
    await until(() => count() === 1);
    for (let turn = 0; turn < 50; turn += 1) await new Promise(setImmediate);
    expect(count()).toBe(1);
  },
);

test('the pause is within a tenth of the interval, and never longer than a timer can wait', async () => {
  const pauses: number[] = [];
  vi.resetModules();
  vi.doMock('node:timers/promises', () => ({
    setTimeout: async (pause: number, _value: unknown, { signal }: { signal: AbortSignal }) => {
      pauses.push(pause);
      if (pauses.length === 60) stop.abort();
      signal.throwIfAborted();
    },
  }));
  const { reaperOn } = await import('./stores.fixture.ts');
  await reaperOn(store, { intervalMs: 3_600_000 }).run(stop.signal);
  vi.doUnmock('node:timers/promises');
  expect(pauses).toHaveLength(60);
  for (const pause of pauses) {
    expect(pause).toBeGreaterThan(3_600_000 * 0.9 - 1_000);
    expect(pause).toBeLessThan(3_600_000 * 1.1);
  }
  expect(new Set(pauses).size).toBeGreaterThan(30);
  expect(Math.max(...pauses)).toBeLessThanOrEqual(MAX_TIMER);
});

test('after a failure the pause is a minute at most', async () => {
  const pauses: number[] = [];
  vi.resetModules();
  vi.doMock('node:timers/promises', () => ({
    setTimeout: async (pause: number) => {
      pauses.push(pause);
      if (pauses.length === 20) stop.abort();
    },
  }));
  const { reaperOn } = await import('./stores.fixture.ts');
  store.driver.currentTime = () => Promise.reject(new StorageError('unavailable', 'no answer'));
  await reaperOn(store, { intervalMs: 3_600_000 }).run(stop.signal);
  vi.doUnmock('node:timers/promises');
  expect(Math.min(...pauses)).toBeGreaterThan(53_000);
  expect(Math.max(...pauses)).toBeLessThan(66_000);
});

test('an abort ends the pause at once', async () => {
  const count = passes();
  const ended = run(reaperOn(store));
  await until(() => count() === 1);
  stop.abort();
  await ended;
  expect(count()).toBe(1);
});

test('an abort ends a pass at once, which then counts as neither completed nor failed', async () => {
  await fill(store, EXPIRED);
  let asked = false;
  store.driver.delete = (_names, signal) => {
    asked = true;
    return new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));
  };
  const reaper = reaperOn(store);
  const ended = run(reaper);
  await until(() => asked);
  stop.abort();
  await ended;
  expect(reaper.status).toEqual({ lastCompletedTime: undefined, lastError: undefined });
});

test('one that is aborted before it begins makes no pass', async () => {
  const count = passes();
  stop.abort();
  await run(reaperOn(store));
  expect(count()).toBe(0);
});

test('a pass that fails is told in the status, and tried again', async () => {
  const reallyTell = store.driver.currentTime.bind(store.driver);
  store.driver.currentTime = () => Promise.reject(new StorageError('unavailable', 'no answer'));
  const reaper = reaperOn(store, { intervalMs: 10 });
  void run(reaper);
  await until(() => reaper.status.lastError !== undefined);
  expect(reaper.status).toEqual({
    lastCompletedTime: undefined,
    lastError: 'no answer',
    lastFailure: { code: 'storage_unavailable' },
  });
  store.driver.currentTime = reallyTell;
  await until(() => reaper.status.lastCompletedTime !== undefined);
  expect(reaper.status.lastError).toBeUndefined();
});
