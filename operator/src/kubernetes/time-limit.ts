/** There was no answer in time. */
export class TimeLimitError extends Error {
  static {
    TimeLimitError.prototype.name = 'TimeLimitError';
  }
}

/** Runs `work` with a signal that also aborts, by a `TimeLimitError`, after `limitMs`. */
export async function withinLimit<T>(
  limitMs: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<T>,
): Promise<T> {
  signal.throwIfAborted();
  const controller = new AbortController();
  const onAbort = () => controller.abort(signal.reason);
  signal.addEventListener('abort', onAbort);
  // The work may not listen to its signal: credentials can come from another program.
  const aborted = new Promise<never>((_, reject) => {
    controller.signal.addEventListener('abort', () => reject(controller.signal.reason), { once: true });
  });
  const expire = () => controller.abort(new TimeLimitError(`no answer within ${limitMs / 1_000} seconds`));
  const timer = setTimeout(expire, limitMs);
  try {
    return await Promise.race([work(controller.signal), aborted]);
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
  }
}
