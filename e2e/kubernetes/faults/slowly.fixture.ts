import { setTimeout as sleep } from 'node:timers/promises';
import { eventualValue } from '@largepayload/testing/waiting/eventually';

/** ms between two calls, since each starts a process */
const INTERVAL = 1_000;

/** `eventualValue` with longer pauses, for calls of kubectl. */
export async function slowly<T>(ask: () => Promise<T | undefined>, limitMs = 90_000): Promise<T> {
  return await eventualValue(async () => (await ask()) ?? (await sleep(INTERVAL, undefined)), limitMs);
}
