import { readFile } from 'node:fs/promises';
import type { FastifyBaseLogger } from 'fastify';
import {
  assertClaimed,
  assertIdentity,
  assertSameStorage,
  claimStorage,
  type StoreIdentity,
} from '../blob-store/identity.ts';
import { tryWrite } from '../blob-store/write-trial.ts';
import { type Driver, StorageError } from '../drivers/driver.ts';

/**
 * Makes an empty storage this store's, which whoever runs it is told, or makes sure that one which is takes our writes.
 * @param claimedFile has the id of the store's storage, once there is one: any other is then refused, an empty one too
 * @throws ForeignStoreError, StorageError
 */
export async function beginStore(
  driver: Driver,
  identity: StoreIdentity,
  log: FastifyBaseLogger,
  signal: AbortSignal,
  claimedFile?: string,
): Promise<void> {
  const storageID = await claimedStorage(claimedFile);
  if (storageID !== undefined) assertSameStorage(await assertIdentity(driver, identity, signal), storageID);
  else if ((await claimStorage(driver, identity, signal)) === 'new') {
    // Written just now: it takes writes.
    log.warn({ store: identity }, 'the storage was empty: this begins a new store in it');
    return;
  }
  await assertTakesWrites(driver, log, signal);
}

/**
 * Makes sure that a gateway has made the storage this store's, for a process that never does.
 * @param claimedFile as of `beginStore`
 * @throws ForeignStoreError, StorageError
 */
export async function joinStore(
  driver: Driver,
  identity: StoreIdentity,
  signal: AbortSignal,
  claimedFile?: string,
): Promise<void> {
  const found = await assertClaimed(driver, identity, signal);
  const storageID = await claimedStorage(claimedFile);
  if (storageID !== undefined) assertSameStorage(found, storageID);
}

async function claimedStorage(file: string | undefined): Promise<string | undefined> {
  try {
    return file && (await readFile(file, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
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
