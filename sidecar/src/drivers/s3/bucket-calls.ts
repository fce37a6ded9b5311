import { type Attempt, storageErrorOf } from './failures.ts';
import { type RetryRules, withRetries } from './retries.ts';
import type { AnswerBody, S3Client } from './s3-client.ts';

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

  /** The bytes of an answer. @throws StorageError, the signal's reason */
  async *read(body: AnswerBody, doing: string, signal: AbortSignal): AsyncGenerator<Buffer> {
    try {
      yield* body.chunks();
    } catch (error) {
      signal.throwIfAborted();
      const fault = this.client.faultOf(error);
      throw fault === undefined ? error : storageErrorOf(fault, this.#attempt(doing, 's3:GetObject'));
    }
  }

  #attempt(doing: string, action: Attempt['action']): Attempt {
    return { doing, action, place: this.client.place };
  }
}
