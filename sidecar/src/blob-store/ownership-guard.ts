import { StorageError } from '../drivers/driver.ts';
import { assertSameStorage } from './identity.ts';

/**
 * Knows whether the storage is still this store's. Another one may take its place while a process runs (a volume mounted
 * anew, a restored bucket), and in that one nothing may be put or deleted.
 */
export class OwnershipGuard {
  readonly #look: () => Promise<string>;
  readonly #lifetime: number;
  #confirmedAt = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | undefined;
  #storageID: string | undefined;

  /**
   * @param look resolves to the storage's id; rejects unless the storage is there and is this store's
   * @param lifetime how long a look that found it so answers for, ms
   */
  constructor(look: () => Promise<string>, lifetime: number) {
    this.#look = look;
    this.#lifetime = lifetime;
  }

  /** Of the storage that was found first, which is the only one from then on; `undefined`: none was yet. */
  get storageID(): string | undefined {
    return this.#storageID;
  }

  /**
   * Returns at once while the last look holds; one look serves all who wait for it. A failure is not remembered.
   * @throws ForeignStoreError, StorageError
   */
  async assertOurs(): Promise<void> {
    if (performance.now() - this.#confirmedAt < this.#lifetime) return;
    this.#looking ??= this.check().finally(() => {
      this.#looking = undefined;
    });
    await this.#looking;
  }

  /** A byte altered on the way may be one of an id: what is not the known one counts when it was read twice. */
  async #confirm(found: string): Promise<void> {
    const again = await this.#look();
    if (again === this.#storageID) return;
    if (again !== found)
      throw new StorageError('unavailable', `the storage's id was read as ${found}, and then as ${again}`);
    this.#storageID ??= found;
    assertSameStorage(found, this.#storageID);
  }

  /** Looks now, and shares no look that began earlier. @throws ForeignStoreError, StorageError */
  async check(): Promise<void> {
    const begun = performance.now();
    try {
      const found = await this.#look();
      if (found !== this.#storageID) await this.#confirm(found);
      this.#confirmedAt = begun;
    } catch (error) {
      this.#confirmedAt = Number.NEGATIVE_INFINITY;
      throw error;
    }
  }
}
