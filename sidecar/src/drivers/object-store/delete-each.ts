import { StorageError } from '../../errors/storage-error.ts';
import type { BucketCalls } from './store-calls.ts';

/** Requests at once; a thousand objects take some seconds, and the service is not flooded. */
const MOST_AT_ONCE = 16;

/**
 * Deletes the objects by a request each. Resolves with what is left, by key.
 * @param deadline on the monotonic clock, ms: no request begins later
 * @throws the signal's reason
 */
export async function deleteEach(
  calls: BucketCalls,
  keys: readonly string[],
  deadline: number,
  signal: AbortSignal,
): Promise<Map<string, StorageError>> {
  const left = new Map<string, StorageError>();
  const deleteOne = async (key: string, ended: AbortSignal) => {
    if (performance.now() > deadline) throw tooSlow(key);
    await calls.call(`delete ${key}`, 's3:DeleteObject', { signal: ended }, (client) =>
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
