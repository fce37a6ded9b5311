import { setMaxListeners } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { PayloadStoreError, PayloadStoreUnavailableError } from './errors.ts';

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

/** @param begin to be called when the request begins */
export type Attempt<Result> = (begin: () => void) => Promise<Result>;

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
  };
  for (let retries = 0; ; retries += 1) {
    try {
      return await attempt(begin);
    } catch (failure) {
      signal.throwIfAborted();
      const askedMs = retryAfterMs(failure);
      if (askedMs > 0) onRetryAfter?.(Math.min(askedMs, longestDelayMs));
      const delayMs = delayBeforeRetry(failure, retries, Math.random());
      if (delayMs === undefined || performance.now() - (begun ?? performance.now()) + delayMs > timeoutMs)
        throw failure;
      if (await isInterrupted(delayMs, signal, giveUp)) throw failure;
    }
  }
}

/**
 * Milliseconds to wait before the next try: exponential, with jitter so that clients which failed together do not come
 * back together, and never less than the service asked for. Undefined when another try is pointless.
 * @param retries how many there were before
 * @param random from 0 to 1
 */
export function delayBeforeRetry(failure: unknown, retries: number, random: number): number | undefined {
  if (!(failure instanceof PayloadStoreError) || !failure.retryable) return undefined;
  const backoffMs = Math.min(firstDelayMs * 2 ** retries, longestDelayMs);
  return retryAfterMs(failure) + backoffMs * (0.5 + random / 2);
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
