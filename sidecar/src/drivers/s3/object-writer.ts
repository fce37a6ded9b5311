import type { BlobFacts } from '../../bytes/blob-facts.ts';
import { drain } from '../../bytes/verified-body.ts';
import { StorageError } from '../../errors/storage-error.ts';
import type { PutOptions } from '../driver.ts';
import type { BucketCalls } from './bucket-calls.ts';
import { PassingBody } from './passing-body.ts';
import type { Fault, ObjectBody, ObjectHead, S3Client } from './s3-client.ts';

/** How often an object may vanish between the refusal to create it and the look at it before we overwrite. */
const CREATE_ATTEMPTS = 3;
const DOING = 'store the payload';

/** Create-only writes of whole objects, whose keys are given as they are in the bucket. */
export class ObjectWriter {
  readonly #calls: BucketCalls;

  constructor(calls: BucketCalls) {
    this.#calls = calls;
  }

  /** Sends what is in memory, as often as needed. */
  async putCollected(
    key: string,
    chunks: readonly Buffer[],
    facts: BlobFacts,
    { signal, keepExisting = false, replace = false }: PutOptions,
  ): Promise<'created' | 'existed'> {
    if (replace) {
      await this.#write(key, chunks, facts, { ifAbsent: false, signal });
      return 'created';
    }
    // A service that knows no conditions would overwrite.
    if (keepExisting && (await this.#examine(key, facts, signal)) !== 'absent') return 'existed';
    for (let attempt = 0; attempt < CREATE_ATTEMPTS; attempt += 1) {
      const refusal = await this.#create(key, chunks, facts, signal);
      if (refusal === undefined) return 'created';
      const existing = await this.#examine(key, facts, signal, refusal);
      if (existing === 'intact' || (existing === 'damaged' && keepExisting)) return 'existed';
      if (existing === 'damaged') break;
    }
    if (keepExisting) throw new StorageError('unavailable', `cannot ${DOING}: others create and delete it`);
    // Over damaged bytes, or where a service takes the mark of a deleted version for an object.
    await this.#write(key, chunks, facts, { ifAbsent: false, signal });
    return 'created';
  }

  /** Looks first, so that a hit need not be sent. What fails after the first chunk was taken cannot be tried again here. */
  async putStreaming(
    key: string,
    source: AsyncIterable<Buffer>,
    facts: BlobFacts,
    options: PutOptions,
  ): Promise<'created' | 'existed'> {
    const { signal, keepExisting = false, replace = false } = options;
    const body = new PassingBody(source);
    try {
      const existing = replace ? 'damaged' : await this.#examine(key, facts, signal);
      if (existing === 'damaged' && !keepExisting) {
        await this.#write(key, body, facts, { ifAbsent: false, signal });
        return 'created';
      }
      if (existing === 'absent' && (await this.#createStreaming(key, body, facts, options))) return 'created';
      await drain(body, signal);
      return 'existed';
    } finally {
      await body.close();
    }
  }

  /** `false` when another writer was quicker, with the same bytes: then the rest of the body is still to be read. */
  async #createStreaming(
    key: string,
    body: PassingBody,
    facts: BlobFacts,
    { signal, keepExisting = false }: PutOptions,
  ): Promise<boolean> {
    let failure: unknown = new StorageError(
      'unavailable',
      `cannot ${DOING}: another one took its place meanwhile`,
    );
    let refusal: RefusedCreate | undefined;
    try {
      refusal = await this.#create(key, body, facts, signal);
      if (refusal === undefined) return true;
    } catch (error) {
      signal.throwIfAborted();
      body.throwIfFailed();
      failure = error;
    }
    // The refusal is lost where a service closes the connection on a body that it does not want.
    const existing = await this.#examine(key, facts, signal, refusal).catch(() => 'absent');
    signal.throwIfAborted();
    if (existing === 'intact' || (existing === 'damaged' && keepExisting)) return false;
    throw failure;
  }

  /** `undefined` when it did; else there is an object already. */
  async #create(
    key: string,
    body: ObjectBody,
    facts: BlobFacts,
    signal: AbortSignal,
  ): Promise<RefusedCreate | undefined> {
    try {
      await this.#write(key, body, facts, { ifAbsent: true, signal });
      return undefined;
    } catch (error) {
      if (error instanceof RefusedCreate) return error;
      if (isRefusedCreate(this.#calls.client.faultOf(error))) return new RefusedCreate();
      throw error;
    }
  }

  async #write(
    key: string,
    body: ObjectBody,
    facts: BlobFacts,
    { ifAbsent, signal }: { ifAbsent: boolean; signal: AbortSignal },
  ): Promise<void> {
    const passing = body instanceof PassingBody ? body : undefined;
    const rules = {
      signal,
      leave: (fault: Fault) => ifAbsent && isRefusedCreate(fault),
      repeatable: () => passing?.begun !== true,
    };
    let answerLost = false;
    try {
      await this.#calls.call(DOING, 's3:PutObject', rules, async (client) => {
        // It may have said that it stored the object, or that it has one.
        const there = answerLost ? await client.head(key, signal) : undefined;
        if (there !== undefined && ifAbsent) throw new RefusedCreate(there);
        if (there !== undefined && isProvenBy(there, facts)) return;
        await client.put(key, body, facts, { ifAbsent, signal }).catch((error) => {
          answerLost = isNoAnswer(client.faultOf(error));
          throw error;
        });
      });
    } catch (error) {
      passing?.throwIfFailed();
      throw error;
    }
  }

  /**
   * By size and the checksum that the service keeps. An object of another writer may have none; then its size decides.
   * @param refusal spares the request where the object was looked at already
   */
  async #examine(
    key: string,
    { size, digest }: BlobFacts,
    signal: AbortSignal,
    refusal?: RefusedCreate,
  ): Promise<'absent' | 'intact' | 'damaged'> {
    const look = (client: S3Client) => client.head(key, signal);
    const head =
      refusal?.head ?? (await this.#calls.call('look into the storage', 's3:GetObject', { signal }, look));
    if (head === undefined) return 'absent';
    const matches = head.size === size && (head.digest ?? digest) === digest;
    return matches ? 'intact' : 'damaged';
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
