import { setTimeout as sleep } from 'node:timers/promises';

/** Calls `ask` until it returns true. @param what for the message of the Error that it throws after `limit` ms */
export async function eventually(
  what: string,
  ask: () => boolean | Promise<boolean>,
  limit = 60_000,
): Promise<void> {
  await until(async () => (await ask()) || undefined, { what, limit, pause: 20 });
}

/** Calls `ask` until it returns a value other than `undefined`. @throws Error after `limitMs` */
export async function eventualValue<T>(
  ask: () => Promise<T | undefined> | T | undefined,
  limitMs = 60_000,
): Promise<T> {
  return await until(ask, { what: `${ask}`, limit: limitMs, pause: 100 });
}

async function until<T>(
  ask: () => Promise<T | undefined> | T | undefined,
  { what, limit, pause }: { what: string; limit: number; pause: number },
): Promise<T> {
  const end = performance.now() + limit;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > end) throw new Error(`after ${limit} ms, not yet: ${what}`);
    await sleep(pause);
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
