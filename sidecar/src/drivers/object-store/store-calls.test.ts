import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { failureTable } from './common-failures.ts';
import type { Fault } from './failures.ts';
import type { ObjectStoreClient } from './object-store-client.ts';
import { StoreCalls } from './store-calls.ts';

const slowDown = (retryAfterMs: number | undefined): Fault => ({
  status: 503,
  code: 'SlowDown',
  message: 'Please reduce your request rate.',
  retryAfterMs,
});

/** Calls of a client that has this fault all the time. */
const callsWith = (fault: Fault) =>
  new StoreCalls({
    place: 'bucket b',
    failures: failureTable(),
    faultOf: () => fault,
  } as unknown as ObjectStoreClient);

test.each([
  [undefined, 100],
  [0, 100],
  [1_000, 1_000],
  [5_000, 5_000],
  [3_600_000, 5_000],
  [Number.MAX_VALUE, 5_000],
])('a service that asks to wait %s ms is asked again after %i ms', (retryAfterMs, expected) => {
  const fault = slowDown(retryAfterMs);
  expect(callsWith(fault).delayBeforeRetryMs(fault, 0, 0)).toBe(expected);
});

test('a service that asks to wait an hour does not end the attempts', async () => {
  const stop = new AbortController();
  const calls = callsWith(slowDown(3_600_000));
  const outcome = calls.call('store a payload', 'put', { signal: stop.signal }, () =>
    Promise.reject(new Error('slow down')),
  );
  const ended = outcome.then(
    () => 'done',
    ({ message }: Error) => message,
  );
  expect(await Promise.race([ended, sleep(300, 'waits for the next attempt')])).toBe(
    'waits for the next attempt',
  );
  stop.abort(new Error('enough'));
  expect(await ended).toBe('enough');
});
