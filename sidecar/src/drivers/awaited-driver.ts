import type { BlobFacts } from '../bytes/blob-facts.ts';
import type { ObjectWriter } from '../bytes/object-writer.ts';
import { StorageError } from '../errors/storage-error.ts';
import {
  type DeleteOutcome,
  type Driver,
  type ListedObject,
  LONGEST_NAME,
  type PutOptions,
  type StoredBlob,
} from './driver.ts';

/**
 * Stands in for the driver of a storage that cannot be used yet. Until the driver arrives every call rejects at once, with
 * the last reason; after that every call goes to the driver.
 */
export class AwaitedDriver implements Driver {
  readonly kind: string;
  #driver: Driver | undefined;
  #reason: Error = new StorageError(
    'unavailable',
    'the storage was not reached yet; this process has just begun',
    { reason: { name: 'JustStarted' } },
  );

  constructor(kind: string) {
    this.kind = kind;
  }

  /** Takes over the driver, and closes it. */
  arrive(driver: Driver): void {
    this.#driver = driver;
  }

  /** @param reason a StorageError, or another error that has an answer in the table of errors */
  stillWaiting(reason: Error): void {
    this.#reason = reason;
  }

  /** Before the driver has arrived nothing can be put, so any value will do. */
  get longestName(): number {
    return this.#driver?.longestName ?? LONGEST_NAME;
  }

  async begin(name: string, facts: BlobFacts, options: PutOptions): Promise<ObjectWriter> {
    return await this.#arrived().begin(name, facts, options);
  }

  async open(name: string, signal: AbortSignal): Promise<StoredBlob | undefined> {
    return await this.#arrived().open(name, signal);
  }

  async *listLevel(prefix: string, signal: AbortSignal): AsyncIterable<string> {
    yield* this.#arrived().listLevel(prefix, signal);
  }

  async *list(folder: string, signal: AbortSignal): AsyncIterable<ListedObject[]> {
    yield* this.#arrived().list(folder, signal);
  }

  async delete(names: readonly string[], signal: AbortSignal): Promise<DeleteOutcome> {
    return await this.#arrived().delete(names, signal);
  }

  async removeFolder(folder: string, signal: AbortSignal): Promise<void> {
    await this.#arrived().removeFolder(folder, signal);
  }

  async currentTime(signal: AbortSignal): Promise<number> {
    return await this.#arrived().currentTime(signal);
  }

  async close(): Promise<void> {
    await this.#driver?.close();
  }

  #arrived(): Driver {
    if (this.#driver === undefined) throw this.#reason;
    return this.#driver;
  }
}
