import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { PayloadStoreError, PayloadStoreUnavailableError } from '../wire/errors.ts';

const firstDelayMs = 50;
const longestDelayMs = 5_000;

export interface RetryRules {
  /** Milliseconds after the first try began in which a further one may begin; waiting for a turn does not count. */
  readonly timeoutMs: number;
  /** Ends everything: its reason is thrown. */
  readonly signal: AbortSignal;
  /** Ends only the waiting for a further try: the last failure is thrown. */
  readonly giveUp?: AbortSignal | undefined;
  /** Told when the service asks to be left alone for so many milliseconds. */
  readonly onRetryAfter?: (milliseconds: number) => void;
}

/** @param begin to be called when the request begins; returns the milliseconds in which a further one may begin */
export type Attempt<Result> = (begin: () => number) => Promise<Result>;

/**
 * Tries until it succeeds, the failure is one that time does not heal, or no time is left for another try.
 * @throws the last failure
 */
export async function withRetries<Result>(
  attempt: Attempt<Result>,
  { timeoutMs, signal, giveUp, onRetryAfter }: RetryRules,
): Promise<Result> {
  let begun: number | undefined;
  const begin = () => {
    begun ??= performance.now();
    return begun + timeoutMs - performance.now();
  };
  for (let retries = 0; ; retries += 1) {
    try {
      return await attempt(begin);
    } catch (failure) {
      signal.throwIfAborted();
      const askedMs = retryAfterMs(failure);
      if (askedMs > 0) onRetryAfter?.(Math.min(askedMs, longestDelayMs));
      const delayMs = delayBeforeRetry(failure, retries, Math.random());
      const leftMs = begin();
      if (delayMs === undefined || leftMs <= 0) throw failure;
      // A delay that is longer than the time left would end the patience early: the last try comes when it is over.
      if (await isInterrupted(Math.min(delayMs, leftMs), signal, giveUp)) throw failure;
    }
  }
}

/**
 * Milliseconds to wait before the next try: exponential, with jitter so that clients which failed together do not come
 * back together, and not less than the service asked for, but at most 5 s: what a service, or a proxy in its place, asks for
 * moves the next try and never ends our patience. Undefined when another try is pointless.
 * @param retries how many there were before
 * @param random from 0 to 1
 */
export function delayBeforeRetry(failure: unknown, retries: number, random: number): number | undefined {
  if (!(failure instanceof PayloadStoreError) || !failure.retryable) return undefined;
  const jitter = 0.5 + random / 2;
  const backoffMs = Math.min(firstDelayMs * 2 ** retries, longestDelayMs) * jitter;
  const askedMs = Math.min(retryAfterMs(failure), longestDelayMs - firstDelayMs) + firstDelayMs * jitter;
  return Math.max(backoffMs, askedMs);
}

function retryAfterMs(failure: unknown): number {
  return failure instanceof PayloadStoreUnavailableError ? (failure.retryAfterSeconds ?? 0) * 1_000 : 0;
}

/** Waits. True when there is to be no further try. @throws the reason of `signal` */
async function isInterrupted(
  milliseconds: number,
  signal: AbortSignal,
  giveUp: AbortSignal | undefined,
): Promise<boolean> {
  const waiting = new AbortController();
  const interrupt = () => waiting.abort();
  for (const cause of [signal, giveUp]) {
    if (cause === undefined) continue;
    // Many payloads may wait at once, which is no leak; Node 20 would warn of one.
    setMaxListeners(0, cause);
    cause.addEventListener('abort', interrupt, { once: true });
  }
  try {
    if (giveUp?.aborted) return true;
    await sleep(milliseconds, undefined, { signal: waiting.signal });
    return false;
  } catch {
    signal.throwIfAborted();
    return true;
  } finally {
    for (const cause of [signal, giveUp]) cause?.removeEventListener('abort', interrupt);
  }
}
