import { StorageError } from '../errors/storage-error.ts';
import { type Driver, LONGEST_NAME } from './driver.ts';

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

  readonly begin: Driver['begin'] = async (...args) => await this.#arrived().begin(...args);
  readonly open: Driver['open'] = async (...args) => await this.#arrived().open(...args);
  readonly delete: Driver['delete'] = async (...args) => await this.#arrived().delete(...args);
  readonly removeFolder: Driver['removeFolder'] = async (...args) => this.#arrived().removeFolder(...args);
  readonly currentTime: Driver['currentTime'] = async (...args) => this.#arrived().currentTime(...args);

  async tryChecksum(...args: Parameters<Required<Driver>['tryChecksum']>): Promise<boolean> {
    return (await this.#arrived().tryChecksum?.(...args)) ?? false;
  }

  async *listLevel(...args: Parameters<Driver['listLevel']>) {
    yield* this.#arrived().listLevel(...args);
  }

  async *list(...args: Parameters<Driver['list']>) {
    yield* this.#arrived().list(...args);
  }

  async close(): Promise<void> {
    await this.#driver?.close();
  }

  #arrived(): Driver {
    if (this.#driver === undefined) throw this.#reason;
    return this.#driver;
  }
}
