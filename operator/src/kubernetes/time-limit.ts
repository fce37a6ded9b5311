/** Nothing came in time. */
export class TimeLimitError extends Error {
  static {
    TimeLimitError.prototype.name = 'TimeLimitError';
  }
}

/** Runs `work` with a signal that also aborts, by a `TimeLimitError`, after `limit` ms. */
export async function withinLimit<T>(
  limit: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const controller = new AbortController();
  const onAbort = () => controller.abort(signal.reason);
  signal.addEventListener('abort', onAbort);
  // Credentials may come from a program that hears no signal.
  const aborted = new Promise<never>((_, reject) => {
    controller.signal.addEventListener('abort', () => reject(controller.signal.reason), { once: true });
  });
  const expire = () => controller.abort(new TimeLimitError(`no answer within ${limit / 1_000} seconds`));
  const timer = setTimeout(expire, limit);
  try {
    return await Promise.race([work(controller.signal), aborted]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}
