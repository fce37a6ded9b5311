import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { never } from '../../drivers/conformance/subject.ts';
import { ServiceError } from '../../errors/service-error.ts';
import { StorageError } from '../../errors/storage-error.ts';
import { NoRoomError, WriteWatch } from './write-watch.ts';

const DENIED = new StorageError('denied', 'access denied for s3:PutObject');
const FULL = new StorageError('full', 'no space left');

let tryWrite = vi.fn(async () => {});
let watch = new WriteWatch(tryWrite);
beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
  tryWrite = vi.fn(async () => {});
  watch = new WriteWatch(tryWrite);
});
afterEach(() => {
  vi.useRealTimers();
});

const succeed = (outcome: 'created' | 'existed') => watch.observe(async () => outcome, never());
const fail = (error: unknown, signal = never()) =>
  expect(watch.observe(() => Promise.reject(error), signal)).rejects.toBe(error);

test('as long as payloads are stored, or none comes, nothing is written', async () => {
  await watch.check();
  expect(await succeed('created')).toBe('created');
  expect(await succeed('existed')).toBe('existed');
  await watch.check();
  expect(tryWrite).not.toHaveBeenCalled();
});

test('after a failed put one trial in ten seconds tells, until one succeeds', async () => {
  tryWrite.mockRejectedValue(DENIED);
  await fail(FULL);
  for (let second = 0; second <= 10; second += 1) {
    await expect(watch.check()).rejects.toBe(DENIED);
    vi.advanceTimersByTime(second < 10 ? 1_000 : 1);
  }
  expect(tryWrite).toHaveBeenCalledTimes(1);
  tryWrite.mockResolvedValue();
  await watch.check();
  expect(tryWrite).toHaveBeenCalledTimes(2);
  vi.advanceTimersByTime(60_000);
  await watch.check();
  expect(tryWrite).toHaveBeenCalledTimes(2);
});

test('a payload that is stored ends it, one that was there already does not', async () => {
  tryWrite.mockRejectedValue(FULL);
  await fail(FULL);
  await succeed('existed');
  const served = watch.check().catch((error) => error);
  expect(await served).toBeInstanceOf(NoRoomError);
  expect(await served).toMatchObject({ failure: 'full', message: FULL.message, cause: FULL });
  await succeed('created');
  await watch.check();
  expect(tryWrite).toHaveBeenCalledTimes(1);
});

test('where some payloads are stored and others not, there is still one trial in ten seconds', async () => {
  for (let second = 0; second <= 10; second += 1) {
    await fail(FULL);
    await watch.check();
    await succeed('created');
    vi.advanceTimersByTime(1_000);
  }
  expect(tryWrite).toHaveBeenCalledTimes(1);
  await fail(FULL);
  await watch.check();
  expect(tryWrite).toHaveBeenCalledTimes(2);
});

test('all who ask during a trial wait for that one', async () => {
  let end = () => {};
  tryWrite.mockImplementation(() => new Promise((resolve) => (end = resolve)));
  await fail(DENIED);
  const checks = [watch.check(), watch.check(), watch.check()];
  end();
  await Promise.all(checks);
  expect(tryWrite).toHaveBeenCalledTimes(1);
});

test.each([
  ['a body that is not the promised one', new ServiceError('digest_mismatch', 'other bytes'), never()],
  ['a client that left', new StorageError('timeout', 'aborted'), AbortSignal.abort()],
])('%s says nothing of the storage', async (_title, error, signal) => {
  await fail(error, signal);
  await watch.check();
  expect(tryWrite).not.toHaveBeenCalled();
});
