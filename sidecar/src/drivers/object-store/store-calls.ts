import { setTimeout as sleep } from 'node:timers/promises';
import type { ByteSink } from '../../bytes/byte-streams.ts';
import type { StorageError } from '../../errors/storage-error.ts';
import type { AnswerBody } from '../../http-client/transport.ts';
import { type Attempt, type Fault, type Retry, rowOf, storageErrorOf } from './failures.ts';
import type { ObjectStoreClient } from './object-store-client.ts';

/** ms after the first attempt began in which another one may begin; a caller waits no longer, it tries again itself */
const WINDOW_MS = 5_000;
/** what a service asks for moves the next attempt by no more, and never ends the attempts */
const LONGEST_DELAY_MS = 5_000;
const MOST_RETRIES: Readonly<Record<Retry, number>> = { never: 0, soon: 4, slower: 5 };
/** before the first retry; doubled for each further one */
const FIRST_DELAY_MS: Readonly<Record<Retry, number>> = { never: 0, soon: 50, slower: 200 };

export interface CallRules {
  readonly signal: AbortSignal;
  /** Whether the request can still be made again. */
  readonly repeatable?: () => boolean;
}

/** Calls of a client, the one layer that retries. Failures are explained by the client's table. */
export class StoreCalls<Client extends ObjectStoreClient = ObjectStoreClient> {
  readonly client: Client;

  constructor(client: Client) {
    this.client = client;
  }

  /** @throws StorageError for a fault of the service, the network or the credentials; the signal's reason; any other error as it is */
  async call<T>(
    doing: string,
    right: Attempt['right'],
    { signal, repeatable = () => true }: CallRules,
    request: (client: Client) => Promise<T>,
  ): Promise<T> {
    const startedAt = performance.now();
    for (let retries = 0; ; retries += 1) {
      try {
        signal.throwIfAborted();
        return await request(this.client);
      } catch (error) {
        signal.throwIfAborted();
        const fault = this.client.faultOf(error);
        if (fault === undefined) throw error;
        const delayMs = repeatable() ? this.delayBeforeRetryMs(fault, retries, Math.random()) : undefined;
        const leftMs = startedAt + WINDOW_MS - performance.now();
        if (delayMs === undefined || leftMs <= 0) throw this.errorOf(fault, doing, right);
        // A longer delay would end the window early: the last attempt comes when it is over. The signal's reason is thrown at the top.
        await sleep(Math.min(delayMs, leftMs), undefined, { signal }).catch(() => {});
      }
    }
  }

  /** Reads an answer into the sink. @throws StorageError, the signal's reason, what the sink throws */
  async read(body: AnswerBody, sink: ByteSink, doing: string, signal: AbortSignal): Promise<void> {
    let isRefused = false;
    const refuse = (error: unknown): never => {
      isRefused = true;
      throw error;
    };
    const write = (chunk: Buffer) => {
      try {
        return sink.write(chunk)?.catch(refuse);
      } catch (error) {
        return refuse(error);
      }
    };
    try {
      await body.readInto({ write });
    } catch (error) {
      if (isRefused) throw error;
      signal.throwIfAborted();
      const fault = this.client.faultOf(error);
      throw fault === undefined ? error : this.errorOf(fault, doing, 'get');
    }
  }

  errorOf(fault: Fault, doing: string, right: Attempt['right']): StorageError {
    const { failures, place } = this.client;
    return storageErrorOf(failures, fault, { doing, right, place });
  }

  /**
   * How long to wait before the next attempt: exponential, with jitter so that those who failed together do not come back
   * together, and not less than the service asked for, up to 5 s; `undefined`: another attempt is pointless.
   * @param retries how many there were before
   * @param random from 0 to 1
   */
  delayBeforeRetryMs(fault: Fault, retries: number, random: number): number | undefined {
    const { retry } = rowOf(this.client.failures, fault);
    if (retries >= MOST_RETRIES[retry]) return undefined;
    const backoffMs = FIRST_DELAY_MS[retry] * 2 ** retries * (0.5 + random / 2);
    return Math.min(Math.max(backoffMs, fault.retryAfterMs ?? 0), LONGEST_DELAY_MS);
  }
}
