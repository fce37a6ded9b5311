import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import type { Fault } from '../s3/s3-client.ts';
import { delayBeforeRetry, withRetries } from './retries.ts';

const slowDown = (retryAfter: number | undefined): Fault => ({
  status: 503,
  code: 'SlowDown',
  message: 'Please reduce your request rate.',
  retryAfter,
  region: undefined,
});

test.each([
  [undefined, 100],
  [0, 100],
  [1_000, 1_000],
  [5_000, 5_000],
  [3_600_000, 5_000],
  [Number.MAX_VALUE, 5_000],
])('a service that asks for %s ms is asked again after %i', (retryAfter, expected) => {
  expect(delayBeforeRetry(slowDown(retryAfter), 0, 0)).toBe(expected);
});

test('a service that asks for an hour does not end the attempts', async () => {
  const stop = new AbortController();
  const rules = {
    attempt: { doing: 'store a payload', action: 's3:PutObject', place: 'bucket b' },
    signal: stop.signal,
    faultOf: () => slowDown(3_600_000),
  } as const;
  const outcome = withRetries(rules, () => Promise.reject(new Error('slow down')));
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
