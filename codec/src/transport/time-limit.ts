import { PayloadStoreUnavailableError } from '../wire/errors.ts';

/**
 * Runs one request, which is aborted when it takes longer than `milliseconds` or when `signal` is aborted.
 * @throws PayloadStoreUnavailableError when it takes too long; the signal's reason
 */
export async function withTimeLimit<Result>(
  milliseconds: number,
  signal: AbortSignal,
  request: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const limit = new AbortController();
  const follow = () => limit.abort(signal.reason);
  const late = () =>
    limit.abort(new PayloadStoreUnavailableError(`the request took longer than ${milliseconds / 1_000} s`));
  const timer = setTimeout(late, milliseconds);
  signal.addEventListener('abort', follow, { once: true });
  try {
    signal.throwIfAborted();
    return await request(limit.signal);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', follow);
  }
}
