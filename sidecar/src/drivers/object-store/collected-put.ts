import type { PutOutcome, WriteSteps } from '../../bytes/object-writer.ts';
import { StorageError } from '../../errors/storage-error.ts';
import type { PutOptions } from '../driver.ts';
import { type ObjectRequests, STORING } from './object-requests.ts';

/** How often an object may vanish between the refusal to create it and the look at it before we overwrite. */
const CREATE_ATTEMPTS = 3;

/** Keeps a body in memory until it is whole, and sends it as often as needed. */
export class CollectedPut implements WriteSteps {
  readonly #object: ObjectRequests;
  readonly #options: PutOptions;
  readonly #release: () => void;
  readonly #chunks: Buffer[] = [];

  /** @param release gives the memory back; called at the end */
  constructor(object: ObjectRequests, options: PutOptions, release: () => void) {
    this.#object = object;
    this.#options = options;
    this.#release = release;
  }

  write(chunk: Buffer): undefined {
    this.#chunks.push(chunk);
  }

  async commit(): Promise<PutOutcome> {
    const outcome = await this.#send();
    this.#release();
    return outcome;
  }

  async abort(): Promise<void> {
    this.#release();
  }

  async #send(): Promise<PutOutcome> {
    const { signal, keepExisting, replace } = this.#options;
    if (replace) return await this.#object.overwrite(this.#chunks, signal);
    // A service that knows no conditions would overwrite.
    if (keepExisting && (await this.#object.decide(signal)) === 'keep') return 'existed';
    for (let attempt = 0; attempt < CREATE_ATTEMPTS; attempt += 1) {
      const refusal = await this.#object.create(this.#chunks, signal);
      if (refusal === undefined) return 'created';
      const decision = await this.#object.decide(signal, refusal);
      if (decision === 'keep') return 'existed';
      if (decision === 'replace') break;
    }
    if (keepExisting) throw new StorageError('unavailable', `cannot ${STORING}: others create and delete it`);
    // Over other bytes, or where a service takes the mark of a deleted version for an object.
    return await this.#object.overwrite(this.#chunks, signal);
  }
}
