import { setTimeout as sleep } from 'node:timers/promises';
import { type Attempt, type Retry, retryOf, storageErrorOf } from '../s3/failures.ts';
import type { Fault } from '../s3/s3-client.ts';

/** ms after the first attempt began in which another one may begin; a caller waits no longer, it tries again itself */
const WINDOW = 5_000;
/** ms; what a service asks for moves the next attempt by no more, and never ends the attempts */
const LONGEST_DELAY = 5_000;
const MOST_RETRIES: Readonly<Record<Retry, number>> = { never: 0, soon: 4, slower: 5 };
/** ms before the first retry; doubled for each further one */
const FIRST_DELAY: Readonly<Record<Retry, number>> = { never: 0, soon: 50, slower: 200 };

export interface RetryRules {
  readonly attempt: Attempt;
  readonly signal: AbortSignal;
  readonly faultOf: (error: unknown) => Fault | undefined;
  /** Faults that are answers to the caller, and thrown as they are. */
  readonly leave?: (fault: Fault) => boolean;
  /** Whether the request can still be made again. */
  readonly repeatable?: () => boolean;
}

/**
 * The one layer that retries. @throws StorageError for a fault of the service, the network or the credentials, the
 * signal's reason, or any other error as it is
 */
export async function withRetries<T>(rules: RetryRules, request: () => Promise<T>): Promise<T> {
  const { attempt, signal, faultOf, leave = () => false, repeatable = () => true } = rules;
  const started = performance.now();
  for (let retries = 0; ; retries += 1) {
    try {
      signal.throwIfAborted();
      return await request();
    } catch (error) {
      signal.throwIfAborted();
      const fault = faultOf(error);
      if (fault === undefined || leave(fault)) throw error;
      const delay = repeatable() ? delayBeforeRetry(fault, retries, Math.random()) : undefined;
      const left = started + WINDOW - performance.now();
      if (delay === undefined || left <= 0) throw storageErrorOf(fault, attempt);
      // A longer delay would end the window early: the last attempt comes when it is over. The signal's reason is thrown at the top.
      await sleep(Math.min(delay, left), undefined, { signal }).catch(() => {});
    }
  }
}

/**
 * ms to wait before the next attempt: exponential, with jitter so that those who failed together do not come back
 * together, and not less than the service asked for, up to 5 s; `undefined`: another attempt is pointless.
 * @param retries how many there were before
 * @param random from 0 to 1
 */
export function delayBeforeRetry(fault: Fault, retries: number, random: number): number | undefined {
  const retry = retryOf(fault);
  if (retries >= MOST_RETRIES[retry]) return undefined;
  const backoff = FIRST_DELAY[retry] * 2 ** retries * (0.5 + random / 2);
  return Math.min(Math.max(backoff, fault.retryAfter ?? 0), LONGEST_DELAY);
}
