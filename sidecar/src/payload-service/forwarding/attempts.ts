import { setTimeout as sleep } from 'node:timers/promises';
import { lateError, TransportTimeoutError } from '../../http-client/limits.ts';
import type { TransportOptions } from '../../http-client/transport.ts';
import { failureOf, mayBeElsewhere } from './gateway-failures.ts';
import type { GatewayAccess, GatewayLink } from './gateway-link.ts';
import { MOST_ATTEMPTS } from './time-limits.ts';

export interface AttemptRules {
  /** Ends everything: its reason is thrown. */
  readonly signal: AbortSignal;
  /** for all attempts together, until the head of an answer; `undefined`: each attempt has limits of its own */
  readonly limitMs?: number | undefined;
  /** before another attempt; twice as long before each further one */
  readonly pauseMs: number;
  /** whether the request can still be sent again */
  readonly mayRepeat: () => boolean;
}

/**
 * Makes a request of the gateway, again on a new connection while that may lead to another gateway, and again with a newer token
 * or newer authorities.
 * @throws the signal's reason; ServiceError
 */
export async function withAttempts<T>(
  link: GatewayLink,
  { signal, limitMs, pauseMs, mayRepeat }: AttemptRules,
  attempt: (access: GatewayAccess, options: TransportOptions) => Promise<T>,
): Promise<T> {
  const late = new AbortController();
  const expire = (ms: number) => late.abort(lateError('answer', ms));
  const timer = limitMs === undefined ? undefined : setTimeout(expire, limitMs, limitMs);
  const either = AbortSignal.any([signal, late.signal]);
  const isRepeatable = async (error: unknown, access: GatewayAccess, count: number): Promise<boolean> => {
    if (error instanceof TransportTimeoutError) link.dropKeptConnections();
    if (count === MOST_ATTEMPTS || late.signal.aborted || !mayRepeat()) return false;
    if (await link.hasOtherAccess(access, error)) return true;
    if (!mayBeElsewhere(error)) return false;
    // When the signal is aborted, the next attempt rejects with its reason.
    await sleep(pauseMs * 2 ** (count - 1), undefined, { signal: either }).catch(() => {});
    return true;
  };
  try {
    for (let count = 1; ; count += 1) {
      const access = await link.access();
      try {
        return await attempt(access, { signal: either, freshConnection: count > 1 });
      } catch (error) {
        signal.throwIfAborted();
        if (!(await isRepeatable(error, access, count))) throw error;
      }
    }
  } catch (error) {
    throw failureOf(error, link.name);
  } finally {
    clearTimeout(timer);
  }
}
