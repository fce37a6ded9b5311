import { StorageError } from '../../errors/storage-error.ts';
import type { StoreCalls } from './store-calls.ts';

/** After this time no further request of a delete begins, however many objects are left. */
export const DELETE_LIMIT_MS = 60_000;
/** Requests at the same time: a thousand objects take some seconds, and the service is not flooded. */
const MOST_AT_ONCE = 16;

/**
 * Deletes the objects by a request each. Resolves with the failures, by key.
 * @param deadlineMs on the monotonic clock: no request begins later
 * @throws the signal's reason
 */
export async function deleteEach(
  calls: StoreCalls,
  keys: readonly string[],
  signal: AbortSignal,
  deadlineMs = performance.now() + DELETE_LIMIT_MS,
): Promise<Map<string, StorageError>> {
  const left = new Map<string, StorageError>();
  const deleteOne = async (key: string, ended: AbortSignal) => {
    if (performance.now() > deadlineMs) throw tooSlow(key);
    await calls.call(`delete ${key}`, 'delete', { signal: ended }, (client) =>
      client.deleteObject(key, ended),
    );
  };
  const queue = keys.values();
  const work = async () => {
    // Node warns of more than ten listeners on one signal.
    const ended = AbortSignal.any([signal]);
    for (const key of queue) {
      await deleteOne(key, ended).catch((error) => {
        signal.throwIfAborted();
        if (!(error instanceof StorageError)) throw error;
        left.set(key, error);
      });
    }
  };
  const outcomes = await Promise.allSettled(Array.from({ length: MOST_AT_ONCE }, work));
  for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason;
  return left;
}

function tooSlow(key: string): StorageError {
  return new StorageError(
    'timeout',
    `cannot delete ${key}: the storage deletes too slowly; the next pass goes on with it`,
  );
}
