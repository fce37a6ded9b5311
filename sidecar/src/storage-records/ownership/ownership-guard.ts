import { StorageError } from '../../errors/storage-error.ts';
import { assertSameStorage } from '../identity/identity.ts';
import type { StorageLease } from '../lease/storage-lease.ts';

/** What decides, beside the identity, whether this process may put and delete. */
export interface StorageUse {
  /** which of the resources of this identity uses the storage; absent: there is only one */
  readonly lease?: Pick<StorageLease, 'assertHeld' | 'check' | 'assertMayDelete'>;
  /** why nothing is ever deleted from this storage */
  readonly neverDelete?: string | undefined;
}

/**
 * Knows whether the storage is still this store's, and this store's resource the one that uses it. Another one may take its
 * place while a process runs (a volume mounted anew, a restored bucket), and in that one nothing may be put or deleted.
 */
export class OwnershipGuard {
  readonly #look: () => Promise<string>;
  readonly #lifetime: number;
  readonly #use: StorageUse;
  #confirmedAt = Number.NEGATIVE_INFINITY;
  #looking: Promise<void> | undefined;
  #storageID: string | undefined;

  /**
   * @param look resolves to the storage's id; rejects unless the storage is there and is this store's
   * @param lifetime how long a look that found it so answers for, ms
   */
  constructor(look: () => Promise<string>, lifetime: number, use: StorageUse = {}) {
    this.#look = look;
    this.#lifetime = lifetime;
    this.#use = use;
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
    if (performance.now() - this.#confirmedAt >= this.#lifetime) {
      this.#looking ??= this.#checkIdentity().finally(() => {
        this.#looking = undefined;
      });
      await this.#looking;
    }
    await this.#use.lease?.assertHeld();
  }

  /** Looks now, and shares no look that began earlier. @throws ForeignStoreError, StorageError */
  async check(): Promise<void> {
    await this.#checkIdentity();
    await this.#use.lease?.assertHeld();
  }

  /** As `assertOurs`, before a deletion. @throws ForeignStoreError, StorageError; the signal's reason */
  async assertMayDelete(signal: AbortSignal): Promise<void> {
    const { neverDelete, lease } = this.#use;
    if (neverDelete !== undefined)
      throw new StorageError('unavailable', neverDelete, { reason: { name: 'PrefixNotAllowed' } });
    await this.assertOurs();
    await lease?.assertMayDelete(signal);
  }

  /** As `check`, before a deletion. @throws ForeignStoreError, StorageError; the signal's reason */
  async checkMayDelete(signal: AbortSignal): Promise<void> {
    await this.#checkIdentity();
    await this.#use.lease?.check();
    await this.assertMayDelete(signal);
  }

  /** A byte of the id may have been altered on the way, so another id counts only when it was read twice. */
  async #confirm(found: string): Promise<void> {
    const again = await this.#look();
    if (again === this.#storageID) return;
    if (again !== found)
      throw new StorageError('unavailable', `the storage's id was read as ${found}, and then as ${again}`);
    this.#storageID ??= found;
    assertSameStorage(found, this.#storageID);
  }

  async #checkIdentity(): Promise<void> {
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
