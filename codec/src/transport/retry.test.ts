import { describe, expect, test } from 'vitest';
import { failureOf, within } from '../failures.fixture.ts';
import {
  PayloadIntegrityError,
  PayloadNotFoundError,
  PayloadRejectedError,
  PayloadStoreUnavailableError,
} from '../wire/errors.ts';
import { delayBeforeRetry, withRetries } from './retry.ts';

const unavailable = new PayloadStoreUnavailableError('busy');
const { signal } = new AbortController();

function failing(times: number, failure: Error = unavailable) {
  let tries = 0;
  const attempt = async () => {
    tries += 1;
    if (tries <= times) throw failure;
    return tries;
  };
  return { attempt, tries: () => tries };
}

describe('the delay before a retry', () => {
  test.each([
    [0, 0, 25],
    [0, 1, 50],
    [3, 1, 400],
    [60, 1, 5_000],
    [2_000, 1, 5_000],
  ])('after %i retries, random %d: %d ms', (retries, random, expected) => {
    expect(delayBeforeRetry(unavailable, retries, random)).toBe(expected);
  });

  test('is never less than the service asked for, with jitter on top', () => {
    const asked = new PayloadStoreUnavailableError('busy', { retryAfterSeconds: 2 });
    expect(delayBeforeRetry(asked, 0, 0)).toBe(2_025);
    expect(delayBeforeRetry(asked, 0, 1)).toBe(2_050);
    expect(delayBeforeRetry(asked, 60, 1)).toBe(5_000);
  });

  test('is at most 5 s, whatever the service asks for', () => {
    const asked = new PayloadStoreUnavailableError('maintenance', { retryAfterSeconds: 3600 });
    expect(delayBeforeRetry(asked, 0, 0)).toBe(4_975);
    expect(delayBeforeRetry(asked, 0, 1)).toBe(5_000);
  });

  test.each([
    ['a payload that is not there', new PayloadNotFoundError('gone')],
    ['bytes that are wrong', new PayloadIntegrityError('wrong')],
    ['a request that was refused', new PayloadRejectedError('too large')],
    ['a URL of something else', new PayloadStoreUnavailableError('redirect', { retryable: false })],
    ['an error of the program', new TypeError('oops')],
    ['no error', 'text'],
  ])('is undefined, as no retry helps, for %s', (_name, failure) => {
    expect(delayBeforeRetry(failure, 0, 0)).toBeUndefined();
  });

  test('is defined for a body that broke off', () => {
    expect(delayBeforeRetry(new PayloadIntegrityError('broke off', { retryable: true }), 0, 1)).toBe(50);
  });
});

describe('a call', () => {
  test('is retried by the time since its request began, not since it waited for its turn', async () => {
    const { attempt, tries } = failing(1);
    const queued = async (begin: () => void) => {
      if (tries() === 0) await new Promise((resolve) => setTimeout(resolve, 300));
      begin();
      return attempt();
    };
    expect(await withRetries(queued, { timeoutMs: 200, signal })).toBe(2);
  });

  test('reports the pause that the service asked for, up to 5 s', async () => {
    const asked: number[] = [];
    const failure = new PayloadStoreUnavailableError('busy', { retryAfterSeconds: 60 });
    const rules = { timeoutMs: 0, signal, onRetryAfter: (milliseconds: number) => asked.push(milliseconds) };
    await failureOf(withRetries(failing(1, failure).attempt, rules));
    await failureOf(withRetries(failing(1).attempt, rules));
    expect(asked).toEqual([5_000]);
  });

  test('is retried until it succeeds', async () => {
    expect(await withRetries(failing(3).attempt, { timeoutMs: 5_000, signal })).toBe(4);
  });

  test('is not retried once the time is over', async () => {
    const { attempt, tries } = failing(Number.POSITIVE_INFINITY);
    expect(await failureOf(withRetries(attempt, { timeoutMs: 300, signal }))).toBe(unavailable);
    expect(tries()).toBeGreaterThan(2);
    expect(tries()).toBeLessThan(8);
  });

  test('is retried until the time is over, however long a pause the service asks for', async () => {
    const asked = new PayloadStoreUnavailableError('maintenance', { retryAfterSeconds: 3600 });
    const { attempt, tries } = failing(Number.POSITIVE_INFINITY, asked);
    const started = performance.now();
    expect(await failureOf(withRetries(attempt, { timeoutMs: 300, signal }))).toBe(asked);
    expect(performance.now() - started).toBeGreaterThan(295);
    expect(tries()).toBeGreaterThan(1);
    expect(await withRetries(failing(1, asked).attempt, { timeoutMs: 300, signal })).toBe(2);
  });

  test('is not retried without time', async () => {
    const { attempt, tries } = failing(1);
    expect(await failureOf(withRetries(attempt, { timeoutMs: 0, signal }))).toBe(unavailable);
    expect(tries()).toBe(1);
  });

  test('that waits ends by an abort, with its reason', async () => {
    const stop = new AbortController();
    const patient = failing(1, new PayloadStoreUnavailableError('busy', { retryAfterSeconds: 60 }));
    const running = withRetries(patient.attempt, { timeoutMs: 100_000, signal: stop.signal });
    setTimeout(() => stop.abort(new Error('a sibling failed')), 20);
    expect(await failureOf(within(500, running))).toEqual(new Error('a sibling failed'));
  });

  test.each([0, 20])('that is given up after %i ms ends with the last failure', async (delayMs) => {
    const cancelled = new AbortController();
    if (delayMs === 0) cancelled.abort();
    else setTimeout(() => cancelled.abort(), delayMs);
    const asked = new PayloadStoreUnavailableError('busy', { retryAfterSeconds: 60 });
    const running = withRetries(failing(1, asked).attempt, {
      timeoutMs: 100_000,
      signal,
      giveUp: cancelled.signal,
    });
    expect(await failureOf(within(500, running))).toBe(asked);
  });
});
