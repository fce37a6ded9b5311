import { readFile } from 'node:fs/promises';
import type { Driver } from '../../drivers/driver.ts';
import { StorageError } from '../../errors/storage-error.ts';
import type { Log } from '../../log/log.ts';
import type { ClockKeeper } from '../clock/clock-keeper.ts';
import {
  assertIdentity,
  assertSameStorage,
  notYet,
  type StoreIdentity,
  writeIdentity,
} from '../identity/identity.ts';
import type { StorageLease } from '../lease/storage-lease.ts';
import { tryChecksum, tryWrite } from '../write-check/write-trial.ts';

/** What the pods of a store know from their cluster about its storage. */
export interface ExpectedStorage {
  /** has the id of the store's storage, once there is one: any other is then refused, an empty one too */
  readonly claimedFile?: string | undefined;
  /** of a storage that this process begins the store in */
  readonly newStorageID?: string | undefined;
}

export interface Beginning {
  /** is acquired before anything but the identity is written */
  readonly lease?: Pick<StorageLease, 'acquire'>;
  /** learns that a store begins, in which nothing was placed by another clock */
  readonly clockKeeper?: Pick<ClockKeeper, 'beginNew'>;
  /** why no store may begin in this place, though a store that is there already goes on */
  readonly noNewStore?: string | undefined;
  /** whether a missing right to put shows only when it is used; absent: it does */
  readonly needsTrials?: boolean;
}

/**
 * Makes an empty storage this store's and logs that, or makes sure that a storage which is this store's takes writes.
 * @throws ForeignStoreError, StorageError, among them StorageInUseError
 */
export async function beginStore(
  driver: Driver,
  identity: StoreIdentity,
  log: Log,
  signal: AbortSignal,
  expected: ExpectedStorage = {},
  { lease, clockKeeper, noNewStore, needsTrials = true }: Beginning = {},
): Promise<void> {
  const { newStorageID } = expected;
  const expectedID = await expectedStorageID(expected);
  if (noNewStore !== undefined) await assertBegun(driver, identity, signal, noNewStore);
  const isNew =
    expectedID === undefined && (await writeIdentity(driver, identity, signal, newStorageID)) === 'new';
  if (expectedID !== undefined) await assertStorage(driver, identity, signal, expectedID);
  if (isNew) {
    log.warn({ store: identity }, 'the storage was empty: this begins a new store in it');
    clockKeeper?.beginNew();
  }
  await lease?.acquire(driver, signal);
  if (needsTrials) await tryChecksum(driver, signal);
  // A storage that was written just now takes writes.
  if (!isNew && needsTrials) await assertTakesWrites(driver, log, signal);
}

/**
 * Makes sure that a gateway has made the storage this store's, for a process that never does.
 * @throws ForeignStoreError, StorageError
 */
export async function joinStore(
  driver: Driver,
  identity: StoreIdentity,
  signal: AbortSignal,
  expected: ExpectedStorage = {},
): Promise<void> {
  const expectedID = await expectedStorageID(expected);
  if (expectedID === undefined) await assertIdentity(driver, identity, signal, notYet);
  else await assertStorage(driver, identity, signal, expectedID);
}

async function assertBegun(
  driver: Driver,
  identity: StoreIdentity,
  signal: AbortSignal,
  reason: string,
): Promise<void> {
  try {
    await assertIdentity(driver, identity, signal);
  } catch (error) {
    if (!(error instanceof StorageError && error.reason?.name === 'IdentityMissing')) throw error;
    throw new StorageError('unavailable', `no store may be begun here: ${reason}; give it another prefix`, {
      reason: { name: 'PrefixNotAllowed' },
    });
  }
}

/**
 * The storage's id.
 * @param expectedID the one that the store's storage has; `undefined`: none is known
 * @throws ForeignStoreError, StorageError also when it is another one
 */
export async function assertStorage(
  driver: Driver,
  identity: StoreIdentity,
  signal: AbortSignal,
  expectedID: string | undefined,
): Promise<string> {
  const found = await assertIdentity(driver, identity, signal);
  if (expectedID !== undefined) assertSameStorage(found, expectedID);
  return found;
}

/** The id of the store's storage; `undefined`: there is none yet, or this process is not told it. */
export async function expectedStorageID({ claimedFile }: ExpectedStorage = {}): Promise<string | undefined> {
  if (claimedFile === undefined) return undefined;
  try {
    return (await readFile(claimedFile, 'utf8')).trim();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}

/** A storage that is full takes no writes, and still serves its payloads. */
async function assertTakesWrites(driver: Driver, log: Log, signal: AbortSignal): Promise<void> {
  try {
    await tryWrite(driver, signal);
  } catch (error) {
    if (!(error instanceof StorageError && error.failure === 'full')) throw error;
    log.warn({ reason: error.message }, 'the storage is full: payloads are served, and none is stored');
  }
}
