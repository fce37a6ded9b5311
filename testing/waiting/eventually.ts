import { setTimeout as sleep } from 'node:timers/promises';

/** Calls `ask` until it returns true. @throws Error that names what was awaited, after `limit` ms */
export async function eventually(
  what: string,
  ask: () => boolean | Promise<boolean>,
  limit = 20_000,
): Promise<void> {
  const started = performance.now();
  while (!(await ask())) {
    if (performance.now() - started > limit) throw new Error(`after ${limit} ms, not yet: ${what}`);
    await sleep(20);
  }
}

/** Rejects with the name of what was awaited when the promise takes too long. */
export async function within<T>(limit: number, what: string, promise: Promise<T>): Promise<T> {
  const done = new AbortController();
  const late = sleep(limit, undefined, { signal: done.signal }).then(() => {
    throw new Error(`not within ${limit} ms: ${what}`);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    done.abort();
    late.catch(() => {});
  }
}
