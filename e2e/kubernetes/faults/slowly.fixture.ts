import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@largepayload/testing/waiting/eventual-value';

/** ms between two questions: each is a process of its own */
const INTERVAL = 1_000;

/** As `eventually`, for what the cluster is asked. */
export async function slowly<T>(ask: () => Promise<T | undefined>, limitMs = 90_000): Promise<T> {
  return await eventually(async () => (await ask()) ?? (await sleep(INTERVAL, undefined)), limitMs);
}
