import { existsSync } from 'node:fs';
import type { FastifyBaseLogger } from 'fastify';
import { assertIdentity, claimStorage, type StoreIdentity } from '../blob-store/identity.ts';
import { tryWrite } from '../blob-store/write-trial.ts';
import { type Driver, StorageError } from '../drivers/driver.ts';

/**
 * Makes an empty storage this store's, which whoever runs it is told, or makes sure that one which is takes our writes.
 * @param claimedFile is there once the store has a storage: an empty one is then another, or was emptied, and is refused
 * @throws ForeignStoreError, StorageError
 */
export async function beginStore(
  driver: Driver,
  identity: StoreIdentity,
  log: FastifyBaseLogger,
  signal: AbortSignal,
  claimedFile?: string,
): Promise<void> {
  if (claimedFile !== undefined && existsSync(claimedFile)) await assertIdentity(driver, identity, signal);
  else if ((await claimStorage(driver, identity, signal)) === 'new') {
    // Written just now: it takes writes.
    log.warn({ store: identity }, 'the storage was empty: this begins a new store in it');
    return;
  }
  await assertTakesWrites(driver, log, signal);
}

/** The driver of a folder has written when it started. A storage that is full still serves what it has. */
async function assertTakesWrites(driver: Driver, log: FastifyBaseLogger, signal: AbortSignal): Promise<void> {
  if (driver.kind === 'filesystem') return;
  try {
    await tryWrite(driver, signal);
  } catch (error) {
    if (!(error instanceof StorageError && error.failure === 'full')) throw error;
    log.warn({ reason: error.message }, 'the storage is full: payloads are served, and none is stored');
  }
}
