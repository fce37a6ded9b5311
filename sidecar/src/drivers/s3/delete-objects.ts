import { setTimeout as sleep } from 'node:timers/promises';
import type { StorageError } from '../driver.ts';
import type { BucketCalls } from './bucket-calls.ts';
import { storageErrorOf } from './failures.ts';
import { delayBeforeRetry } from './retries.ts';

/**
 * Deletes the objects, and again those that the service could not delete at once. Resolves with what is left, by key.
 * @throws StorageError when it deleted none of them
 */
export async function deleteObjects(
  calls: BucketCalls,
  keys: readonly string[],
  signal: AbortSignal,
): Promise<Map<string, StorageError>> {
  const left = new Map<string, StorageError>();
  const { place } = calls.client;
  let next = keys;
  for (let retries = 0; next.length > 0; retries += 1) {
    const batch = new Set(next);
    const failed = await calls.call('delete payloads', 's3:DeleteObject', { signal }, (client) =>
      client.delete([...batch], signal),
    );
    let pause = 0;
    next = failed.flatMap(({ key: told, fault }) => {
      // A service that folds slashes tells another name than it was given.
      const key = batch.has(told) ? told : `/${told}`;
      const delay = delayBeforeRetry(fault, retries, Math.random());
      if (delay === undefined)
        left.set(key, storageErrorOf(fault, { doing: `delete ${key}`, action: 's3:DeleteObject', place }));
      pause = Math.max(pause, delay ?? 0);
      return delay === undefined ? [] : [key];
    });
    if (next.length > 0) await sleep(pause, undefined, { signal }).catch(() => signal.throwIfAborted());
  }
  return left;
}
