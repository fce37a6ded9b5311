import type { BlobFacts } from '../../bytes/blob-facts.ts';
import type { PutOutcome } from '../../bytes/object-writer.ts';
import { StorageError } from '../../errors/storage-error.ts';
import type { PutOptions } from '../driver.ts';
import type { Fault } from './failures.ts';
import { isRepeatable, type ObjectBody, type ObjectHead } from './object-store-client.ts';
import type { StoreCalls } from './store-calls.ts';
import type { StreamedPut } from './streamed-put.ts';

/** What a put does, in messages. */
export const STORING = 'store the payload';

/** The object that kept another from being created, as far as it was looked at. */
interface Refusal {
  readonly head?: ObjectHead;
}

/** The requests of one put of an object. Each is made again where that may help; see `StoreCalls`. */
export class ObjectRequests {
  readonly #calls: StoreCalls;
  readonly #key: string;
  readonly #facts: BlobFacts;
  readonly #keepExisting: boolean;
  /** how often the object was, or may have been, sent */
  writeAttempts = 0;

  /** @param key as it is in the store */
  constructor(calls: StoreCalls, key: string, facts: BlobFacts, { keepExisting = false }: PutOptions) {
    this.#calls = calls;
    this.#key = key;
    this.#facts = facts;
    this.#keepExisting = keepExisting;
  }

  /**
   * What the put does about the object that is there, by its size and the checksum that the service keeps. An object of
   * another writer may have none; then its size decides.
   * @param refusal spares the request where the object was looked at already
   */
  async decide(signal: AbortSignal, refusal?: Refusal): Promise<'create' | 'keep' | 'replace'> {
    const { size, digest } = this.#facts;
    const look = () =>
      this.#calls.call('look into the storage', 'get', { signal }, (client) =>
        client.head(this.#key, signal),
      );
    const head = refusal?.head ?? (await look());
    if (head === undefined) return 'create';
    const isEqual = head.size === size && (head.digest ?? digest) === digest;
    return isEqual || this.#keepExisting ? 'keep' : 'replace';
  }

  /** `undefined` when it did; else there is an object already. */
  async create(body: ObjectBody, signal: AbortSignal): Promise<Refusal | undefined> {
    return await this.#write(body, true, signal);
  }

  /** Creates the object by a body that cannot be sent again. `existed`: another writer was quicker, with the same bytes. */
  async createOnce(body: StreamedPut, signal: AbortSignal): Promise<PutOutcome> {
    let failure: unknown = new StorageError(
      'unavailable',
      `cannot ${STORING}: another one took its place meanwhile`,
    );
    let refusal: Refusal | undefined;
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

  async #write(body: ObjectBody, ifAbsent: boolean, signal: AbortSignal): Promise<Refusal | undefined> {
    const repeatable = () => isRepeatable(body);
    let isAnswerLost = false;
    return await this.#calls.call(STORING, 'put', { signal, repeatable }, async (client) => {
      this.writeAttempts += 1;
      // The service may have stored the object, or have said that there is one.
      const head = isAnswerLost ? await client.head(this.#key, signal) : undefined;
      if (head !== undefined && ifAbsent) return { head };
      if (head !== undefined && isProvenBy(head, this.#facts)) return undefined;
      const put = client.put(this.#key, body, this.#facts, { ifAbsent, signal });
      const outcome = await put.catch((error) => {
        isAnswerLost = isNoAnswer(client.faultOf(error));
        throw error;
      });
      return outcome === 'refused' ? {} : undefined;
    });
  }
}

/** Whether it was stored cannot be known: there was no answer, or a success that is not the service's. */
function isNoAnswer(fault: Fault | undefined): boolean {
  return (fault?.status ?? 0) < 300;
}

/** A size alone does not show that an object was overwritten. */
function isProvenBy(head: ObjectHead, { size, digest }: BlobFacts): boolean {
  return head.size === size && head.digest === digest;
}
