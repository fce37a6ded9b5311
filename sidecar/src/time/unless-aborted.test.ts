import { expect, test } from 'vitest';
import { unlessAborted } from './unless-aborted.ts';

test('work has its outcome as long as the signal is not aborted', async () => {
  const { signal } = new AbortController();
  expect(await unlessAborted(Promise.resolve('done'), signal)).toBe('done');
  await expect(unlessAborted(Promise.reject(new Error('failed')), signal)).rejects.toThrow('failed');
});

test('an abort ends the waiting with its reason, and a later failure of the work is ignored', async () => {
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = new AbortController();
  const waiting = unlessAborted(promise, stop.signal);
  stop.abort(new Error('stopped'));
  await expect(waiting).rejects.toThrow('stopped');
  reject(new Error('too late'));
  const failed = unlessAborted(Promise.reject(new Error('failed')), stop.signal);
  await expect(failed).rejects.toThrow('stopped');
});
