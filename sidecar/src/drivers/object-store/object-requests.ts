import type { BlobFacts } from '../../bytes/blob-facts.ts';
import type { PutOutcome } from '../../bytes/object-writer.ts';
import { StorageError } from '../../errors/storage-error.ts';
import type { PutOptions } from '../driver.ts';
import type { Fault, ObjectBody, ObjectHead, S3Client } from '../s3/s3-client.ts';
import { PassingBody } from './passing-body.ts';
import type { BucketCalls } from './store-calls.ts';

/** What a put does, in messages. */
export const STORING = 'store the payload';

/** The requests of one put of an object. Each is made again where that may help; see `BucketCalls`. */
export class ObjectRequests {
  readonly #calls: BucketCalls;
  readonly #key: string;
  readonly #facts: BlobFacts;
  readonly #keepExisting: boolean;

  /** @param key as it is in the bucket */
  constructor(calls: BucketCalls, key: string, facts: BlobFacts, options: PutOptions) {
    this.#calls = calls;
    this.#key = key;
    this.#facts = facts;
    this.#keepExisting = options.keepExisting ?? false;
  }

  /**
   * What the put does about the object that is there, by its size and the checksum that the service keeps. An object of
   * another writer may have none; then its size decides.
   * @param refusal spares the request where the object was looked at already
   */
  async decide(signal: AbortSignal, refusal?: RefusedCreate): Promise<'create' | 'keep' | 'replace'> {
    const { size, digest } = this.#facts;
    const look = (client: S3Client) => client.head(this.#key, signal);
    const head =
      refusal?.head ?? (await this.#calls.call('look into the storage', 's3:GetObject', { signal }, look));
    if (head === undefined) return 'create';
    const isEqual = head.size === size && (head.digest ?? digest) === digest;
    return isEqual || this.#keepExisting ? 'keep' : 'replace';
  }

  /** `undefined` when it did; else there is an object already. */
  async create(body: ObjectBody, signal: AbortSignal): Promise<RefusedCreate | undefined> {
    try {
      await this.#write(body, true, signal);
      return undefined;
    } catch (error) {
      if (error instanceof RefusedCreate) return error;
      if (isRefusedCreate(this.#calls.client.faultOf(error))) return new RefusedCreate();
      throw error;
    }
  }

  /** Creates the object by a body that cannot be sent again. `existed`: another writer was quicker, with the same bytes. */
  async createOnce(body: PassingBody, signal: AbortSignal): Promise<PutOutcome> {
    let failure: unknown = new StorageError(
      'unavailable',
      `cannot ${STORING}: another one took its place meanwhile`,
    );
    let refusal: RefusedCreate | undefined;
    try {
      refusal = await this.create(body, signal);
      if (refusal === undefined) return 'created';
    } catch (error) {
      signal.throwIfAborted();
      failure = error;
    }
    // The refusal is lost where a service closes the connection on a body that it does not want.
    const decision = await this.decide(signal, refusal).catch(() => 'create');
    signal.throwIfAborted();
    if (decision === 'keep') return 'existed';
    throw failure;
  }

  async overwrite(body: ObjectBody, signal: AbortSignal): Promise<'created'> {
    await this.#write(body, false, signal);
    return 'created';
  }

  async #write(body: ObjectBody, ifAbsent: boolean, signal: AbortSignal): Promise<void> {
    const rules = {
      signal,
      leave: (fault: Fault) => ifAbsent && isRefusedCreate(fault),
      repeatable: () => !(body instanceof PassingBody && body.begun),
    };
    let isAnswerLost = false;
    await this.#calls.call(STORING, 's3:PutObject', rules, async (client) => {
      // It may have said that it stored the object, or that it has one.
      const there = isAnswerLost ? await client.head(this.#key, signal) : undefined;
      if (there !== undefined && ifAbsent) throw new RefusedCreate(there);
      if (there !== undefined && isProvenBy(there, this.#facts)) return;
      await client.put(this.#key, body, this.#facts, { ifAbsent, signal }).catch((error) => {
        isAnswerLost = isNoAnswer(client.faultOf(error));
        throw error;
      });
    });
  }
}

/** An object has the key. */
class RefusedCreate extends Error {
  /** what was seen of it, if it was looked at */
  readonly head: ObjectHead | undefined;

  constructor(head?: ObjectHead) {
    super('an object has the key');
    this.head = head;
  }
}

/** Whether it was stored cannot be known: nobody answered, or somebody said yes who is not the service. */
function isNoAnswer(fault: Fault | undefined): boolean {
  return (fault?.status ?? 0) < 300;
}

/** A size alone does not show that an object was overwritten. */
function isProvenBy(head: ObjectHead, { size, digest }: BlobFacts): boolean {
  return head.size === size && head.digest === digest;
}

function isRefusedCreate(fault: Fault | undefined): boolean {
  return fault?.status === 412;
}
