import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { ForeignStoreError } from '../errors/foreign-store-error.ts';
import { ServiceError } from '../errors/service-error.ts';
import { StorageError } from '../errors/storage-error.ts';
import { NoRoomError } from '../storage-records/write-check/write-watch.ts';
import { Readiness } from './readiness.ts';

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
});
afterEach(() => {
  vi.useRealTimers();
});

test('many probes within a second look once; the next one looks again', async () => {
  const check = vi.fn(async () => {});
  const readiness = new Readiness(check);
  await Promise.all(Array.from({ length: 10 }, () => readiness.assertReady()));
  vi.advanceTimersByTime(900);
  await readiness.assertReady();
  expect(check).toHaveBeenCalledTimes(1);
  vi.advanceTimersByTime(200);
  await readiness.assertReady();
  expect(check).toHaveBeenCalledTimes(2);
});

test('a storage that does not answer is asked once, however long and however many probes wait', async () => {
  let answer = () => {};
  const check = vi.fn(() => new Promise<void>((resolve) => (answer = resolve)));
  const readiness = new Readiness(check);
  const probes = [readiness.assertReady()];
  for (let seconds = 0; seconds < 30; seconds += 1) {
    vi.advanceTimersByTime(1_000);
    probes.push(readiness.assertReady());
  }
  expect(check).toHaveBeenCalledTimes(1);
  answer();
  await Promise.all(probes);
  await readiness.assertReady();
  expect(check).toHaveBeenCalledTimes(1);
});

test.each([
  [new StorageError('unavailable', 'the disk is gone'), 'storage_unavailable', 'the disk is gone'],
  [new ServiceError('clock_difference', 'the clock is wrong'), 'clock_difference', 'the clock is wrong'],
  [new ForeignStoreError('a/b', 'c/d'), 'storage_unavailable', /belongs to the store c\/d/],
  [new StorageError('full', 'no room to begin'), 'storage_unavailable', 'no room to begin'],
  [new TypeError('nobody foresaw this'), 'storage_unavailable', 'nobody foresaw this'],
])('%s answers 503 and why', async (failure, code, message) => {
  const readiness = new Readiness(() => Promise.reject(failure));
  await expect(readiness.assertReady()).rejects.toMatchObject({ status: 503, code });
  await expect(readiness.assertReady()).rejects.toThrow(message);
});

test('a storage that became full is ready for what it has, and told to whoever asks whether it can be used', async () => {
  const full = new StorageError('full', 'the disk is full');
  const readiness = new Readiness(() => Promise.reject(new NoRoomError(full)));
  await readiness.assertReady();
  await expect(readiness.assertUsable()).rejects.toMatchObject({
    status: 503,
    code: 'storage_unavailable',
    message: 'the disk is full',
  });
  expect(await readiness.report()).toEqual({
    ready: false,
    error: { code: 'storage_full', message: 'the disk is full' },
  });
});

test('ready again after a failure', async () => {
  let fails = true;
  const readiness = new Readiness(async () => {
    if (fails) throw new StorageError('unavailable', 'not now');
  });
  await expect(readiness.assertReady()).rejects.toThrow('not now');
  fails = false;
  vi.advanceTimersByTime(1_100);
  await readiness.assertReady();
});

test('a process that is ending is not ready, and does not look', async () => {
  const check = vi.fn(async () => {});
  const readiness = new Readiness(check);
  readiness.beginDraining();
  await expect(readiness.assertReady()).rejects.toMatchObject({ code: 'draining', status: 503 });
  expect(check).not.toHaveBeenCalled();
});

test('with a latch, once ready is ready until the end, and what is true now is told elsewhere', async () => {
  const failure = new StorageError('unavailable', 'the disk is gone');
  const check = vi.fn(() => Promise.reject(failure) as Promise<void>);
  const readiness = new Readiness(check, { latch: true });
  await expect(readiness.assertReady()).rejects.toThrow('the disk is gone');
  check.mockImplementation(async () => {});
  vi.advanceTimersByTime(1_100);
  await readiness.assertReady();
  check.mockImplementation(() => Promise.reject(failure));
  vi.advanceTimersByTime(1_100);
  await readiness.assertReady();
  await expect(readiness.assertUsable()).rejects.toThrow('the disk is gone');
  expect(await readiness.report()).toEqual({
    ready: false,
    error: { code: 'storage_unavailable', message: 'the disk is gone' },
  });
  readiness.beginDraining();
  await expect(readiness.assertReady()).rejects.toMatchObject({ code: 'draining' });
  expect(await readiness.report()).toMatchObject({ ready: false, error: { code: 'draining' } });
});

test.each([
  [new StorageError('denied', 'no rights'), 'storage_denied', 'no rights'],
  [new TypeError('nobody foresaw this'), 'storage_unavailable', 'nobody foresaw this'],
])('a report of %s has its own code, though a probe is answered 503', async (failure, code, message) => {
  const readiness = new Readiness(() => Promise.reject(failure));
  expect(await readiness.report()).toEqual({ ready: false, error: { code, message } });
  await expect(readiness.assertReady()).rejects.toMatchObject({ status: 503 });
});

test('a report comes soon, whether or not the storage answers', async () => {
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
  const report = new Readiness(() => new Promise(() => {})).report();
  await vi.advanceTimersByTimeAsync(3_000);
  expect(await report).toEqual({
    ready: false,
    error: { code: 'storage_timeout', message: 'the storage has not answered for 3 s' },
  });
  expect(await new Readiness(async () => {}).report()).toEqual({ ready: true });
});
