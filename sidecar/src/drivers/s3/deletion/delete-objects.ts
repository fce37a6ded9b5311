import { setTimeout as sleep } from 'node:timers/promises';
import { StorageError } from '../../../errors/storage-error.ts';
import { DELETE_LIMIT_MS, deleteEach } from '../../object-store/delete-each.ts';
import type { Fault } from '../../object-store/failures.ts';
import type { Deleter } from '../../object-store/object-store-client.ts';
import { StoreCalls } from '../../object-store/store-calls.ts';
import type { S3Client } from '../s3-client.ts';
import { faultsIn, NOT_NAMED } from './delete-answer.ts';

export interface DeleteTimes {
  /** after which no further request begins, however many objects are left and however long the service asks to wait */
  readonly limitMs: number;
  /** for which a service that has no multi-object delete is not asked for it again */
  readonly lookAgainAfterMs: number;
}

const TIMES: DeleteTimes = { limitMs: DELETE_LIMIT_MS, lookAgainAfterMs: 3_600_000 };

/** Deletes a thousand objects by one request where the service can. */
export class MultiObjectDeleter implements Deleter {
  readonly #calls: StoreCalls<S3Client>;
  readonly #times: DeleteTimes;
  /** on the monotonic clock */
  #lookAgainAtMs = Number.NEGATIVE_INFINITY;

  constructor(client: S3Client, times: DeleteTimes = TIMES) {
    this.#calls = new StoreCalls(client);
    this.#times = times;
  }

  /**
   * Deletes the objects, and again those that the service could not delete at once. Resolves with what is left, by key:
   * everything that no answer has named as deleted.
   * @throws StorageError when the service refused the request as a whole; the signal's reason
   */
  async delete(keys: readonly string[], signal: AbortSignal): Promise<Map<string, StorageError>> {
    const deadlineMs = performance.now() + this.#times.limitMs;
    const left = new Map<string, StorageError>();
    let next = keys;
    for (let retries = 0; next.length > 0; retries += 1) {
      const faults = await this.#deleteTogether(next, signal).catch((error) => {
        if (retries === 0 || signal.aborted || !(error instanceof StorageError)) throw error;
        for (const key of next) left.set(key, error);
        return new Map<string, Fault>();
      });
      if (faults === undefined) return await this.#deleteEach(next, left, deadlineMs, signal);
      // The service may have deleted them and answered as if `Quiet` was asked for, so each gets a request of its own as proof.
      if (faults.size === next.length && [...faults.values()].every((fault) => fault === NOT_NAMED))
        return new Map([...left, ...(await deleteEach(this.#calls, next, signal, deadlineMs))]);
      const delays = new Map<string, number>();
      for (const [key, fault] of faults) {
        const delayMs = this.#calls.delayBeforeRetryMs(fault, retries, Math.random());
        if (delayMs === undefined || performance.now() + delayMs > deadlineMs)
          left.set(key, this.#calls.errorOf(fault, `delete ${key}`, 'delete'));
        else delays.set(key, delayMs);
      }
      next = [...delays.keys()];
      const pauseMs = Math.max(0, ...delays.values());
      if (next.length > 0) await sleep(pauseMs, undefined, { signal }).catch(() => signal.throwIfAborted());
    }
    return left;
  }

  /** What one request has left, by key; `undefined`: the service has no such request. */
  async #deleteTogether(
    keys: readonly string[],
    signal: AbortSignal,
  ): Promise<Map<string, Fault> | undefined> {
    if (performance.now() < this.#lookAgainAtMs) return undefined;
    return await this.#calls.call('delete payloads', 'delete', { signal }, async (client) => {
      const answer = await client.deleteObjects(keys, signal);
      return answer === 'unsupported' ? undefined : faultsIn(answer, keys);
    });
  }

  async #deleteEach(
    keys: readonly string[],
    left: Map<string, StorageError>,
    deadlineMs: number,
    signal: AbortSignal,
  ): Promise<Map<string, StorageError>> {
    const failed = await deleteEach(this.#calls, keys, signal, deadlineMs);
    // If no delete succeeded, perhaps something else than the service has answered.
    if (failed.size < keys.length && performance.now() >= this.#lookAgainAtMs)
      this.#lookAgainAtMs = performance.now() + this.#times.lookAgainAfterMs;
    return new Map([...left, ...failed]);
  }
}
