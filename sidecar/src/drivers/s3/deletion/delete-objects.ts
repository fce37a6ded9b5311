import { setTimeout as sleep } from 'node:timers/promises';
import { StorageError } from '../../../errors/storage-error.ts';
import { deleteEach } from '../../object-store/delete-each.ts';
import { delayBeforeRetry } from '../../object-store/retries.ts';
import type { BucketCalls } from '../../object-store/store-calls.ts';
import { storageErrorOf } from '../failures.ts';
import type { Fault } from '../s3-client.ts';
import { faultsIn, NOT_NAMED } from './delete-answer.ts';
import { lacksMultiObjectDelete } from './multi-object-delete.ts';

export interface DeleteTimes {
  /** ms after which no further request begins, however many objects are left and however long the service asks to wait */
  readonly limit: number;
  /** ms for which a service that has no multi-object delete is not asked for it again */
  readonly lookAgainAfter: number;
}

const TIMES: DeleteTimes = { limit: 60_000, lookAgainAfter: 3_600_000 };

/** Deletes objects, whose keys are given as they are in the bucket; a thousand by one request where the service can. */
export class ObjectDeleter {
  readonly #calls: BucketCalls;
  readonly #times: DeleteTimes;
  /** on the monotonic clock, ms */
  #lookAgainAt = Number.NEGATIVE_INFINITY;

  constructor(calls: BucketCalls, times: DeleteTimes = TIMES) {
    this.#calls = calls;
    this.#times = times;
  }

  /**
   * Deletes the objects, and again those that the service could not delete at once. Resolves with what is left, by key:
   * everything that no answer has named as deleted.
   * @throws StorageError when the service refused the request as a whole; the signal's reason
   */
  async delete(keys: readonly string[], signal: AbortSignal): Promise<Map<string, StorageError>> {
    const deadline = performance.now() + this.#times.limit;
    const left = new Map<string, StorageError>();
    let next = keys;
    for (let retries = 0; next.length > 0; retries += 1) {
      const faults = await this.#deleteTogether(next, signal).catch((error) => {
        if (retries === 0 || signal.aborted || !(error instanceof StorageError)) throw error;
        for (const key of next) left.set(key, error);
        return new Map<string, Fault>();
      });
      if (faults === undefined) return await this.#deleteEach(next, left, deadline, signal);
      // It may have deleted them as if it was asked to say nothing; each is proven by a request of its own.
      if (faults.size === next.length && [...faults.values()].every((fault) => fault === NOT_NAMED))
        return new Map([...left, ...(await deleteEach(this.#calls, next, deadline, signal))]);
      const delays = new Map<string, number>();
      for (const [key, fault] of faults) {
        const delay = delayBeforeRetry(fault, retries, Math.random());
        if (delay === undefined || performance.now() + delay > deadline)
          left.set(key, this.#errorOf(key, fault));
        else delays.set(key, delay);
      }
      next = [...delays.keys()];
      const pause = Math.max(0, ...delays.values());
      if (next.length > 0) await sleep(pause, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
    return left;
  }

  /** What one request has left, by key; `undefined`: the service has no such request. */
  async #deleteTogether(
    keys: readonly string[],
    signal: AbortSignal,
  ): Promise<Map<string, Fault> | undefined> {
    if (performance.now() < this.#lookAgainAt) return undefined;
    const { client } = this.#calls;
    try {
      const rules = { signal, leave: lacksMultiObjectDelete };
      return await this.#calls.call('delete payloads', 's3:DeleteObject', rules, async () =>
        faultsIn(await client.deleteObjects(keys, signal), keys),
      );
    } catch (error) {
      signal.throwIfAborted();
      const fault = client.faultOf(error);
      if (fault === undefined || !lacksMultiObjectDelete(fault)) throw error;
      return undefined;
    }
  }

  async #deleteEach(
    keys: readonly string[],
    left: Map<string, StorageError>,
    deadline: number,
    signal: AbortSignal,
  ): Promise<Map<string, StorageError>> {
    const failed = await deleteEach(this.#calls, keys, deadline, signal);
    // What answered was not perhaps the service.
    if (failed.size < keys.length && performance.now() >= this.#lookAgainAt)
      this.#lookAgainAt = performance.now() + this.#times.lookAgainAfter;
    return new Map([...left, ...failed]);
  }

  #errorOf(key: string, fault: Fault): StorageError {
    const { place } = this.#calls.client;
    return storageErrorOf(fault, { doing: `delete ${key}`, action: 's3:DeleteObject', place });
  }
}
