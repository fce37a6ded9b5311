import { setTimeout as sleep } from 'node:timers/promises';

const INTERVAL = 100;

/** Calls `ask` until it returns a value other than `undefined`. @throws Error after `limitMs` */
export async function eventually<T>(
  ask: () => Promise<T | undefined> | T | undefined,
  limitMs = 60_000,
): Promise<T> {
  const end = performance.now() + limitMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > end) throw new Error(`not within ${limitMs / 1_000} s: ${ask}`);
    await sleep(INTERVAL);
  }
}
