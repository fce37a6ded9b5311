import type { FastifyBaseLogger } from 'fastify';
import { claimStorage, type StoreIdentity } from '../blob-store/identity.ts';
import type { Driver } from '../drivers/driver.ts';

/** Makes an empty storage this store's, which whoever runs it is told. @throws ForeignStoreError, StorageError */
export async function beginStore(
  driver: Driver,
  identity: StoreIdentity,
  log: FastifyBaseLogger,
  signal: AbortSignal,
): Promise<void> {
  const claim = await claimStorage(driver, identity, signal);
  if (claim === 'new') log.warn({ store: identity }, 'the storage was empty: this begins a new store in it');
}
