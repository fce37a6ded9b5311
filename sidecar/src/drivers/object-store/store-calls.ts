import type { ByteSink } from '../../bytes/byte-streams.ts';
import { type Attempt, storageErrorOf } from '../s3/failures.ts';
import type { AnswerBody, S3Client } from '../s3/s3-client.ts';
import { type RetryRules, withRetries } from './retries.ts';

type Rules = Omit<RetryRules, 'attempt' | 'faultOf'>;

/** Calls of the client with retries, their failures in the contract's terms. */
export class BucketCalls {
  readonly client: S3Client;

  constructor(client: S3Client) {
    this.client = client;
  }

  /** @throws StorageError, the signal's reason, and faults that the rules leave, as the client throws them */
  async call<T>(
    doing: string,
    action: Attempt['action'],
    rules: Rules,
    request: (client: S3Client) => Promise<T>,
  ): Promise<T> {
    const { client } = this;
    const all = { ...rules, attempt: this.#attempt(doing, action), faultOf: client.faultOf };
    return await withRetries(all, () => request(client));
  }

  /** Reads an answer into the sink. @throws StorageError, the signal's reason, what the sink throws */
  async read(body: AnswerBody, sink: ByteSink, doing: string, signal: AbortSignal): Promise<void> {
    const guarded = new GuardedSink(sink);
    try {
      await body.readInto(guarded);
    } catch (error) {
      guarded.throwIfFailed();
      signal.throwIfAborted();
      const fault = this.client.faultOf(error);
      throw fault === undefined ? error : storageErrorOf(fault, this.#attempt(doing, 's3:GetObject'));
    }
  }

  #attempt(doing: string, action: Attempt['action']): Attempt {
    return { doing, action, place: this.client.place };
  }
}

/** Remembers what the sink throws, which is no failure of the storage. */
class GuardedSink implements ByteSink {
  readonly #sink: ByteSink;
  #failure: { readonly error: unknown } | undefined;

  constructor(sink: ByteSink) {
    this.#sink = sink;
  }

  async write(chunk: Buffer): Promise<void> {
    try {
      await this.#sink.write(chunk);
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }

  throwIfFailed(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
