import { randomUUID } from 'node:crypto';
import type { Driver } from '../../drivers/driver.ts';
import { excerpt } from '../../errors/excerpt.ts';
import { ForeignStoreError } from '../../errors/foreign-store-error.ts';
import { StorageError } from '../../errors/storage-error.ts';
import { putSmallObject, readSmallObject } from '../small-object.ts';

/** All processes get it; gateways and standalone processes put it, create-only. Nobody deletes it. */
const IDENTITY_NAME = 'store.json';

/** The resource a folder or bucket belongs to. Never its UID: a re-created resource keeps its data. */
export interface StoreIdentity {
  readonly namespace: string;
  readonly name: string;
}

/** Up to 64 letters, digits, `-` and `_`: it goes through files and resources, and is compared there. */
export function isStorageId(text: string): boolean {
  return /^[\w-]{1,64}$/.test(text);
}

/**
 * Writes our identity and an id into an empty storage (`new`), or compares our identity with the one there (`known`). The id
 * distinguishes this storage from a storage in which a store of the same name began elsewhere, for example in another cluster.
 * @param id the same in processes that may begin the store at the same time, as not every service lets one of them win
 * @throws ForeignStoreError, StorageError
 */
export async function writeIdentity(
  driver: Driver,
  identity: StoreIdentity,
  signal: AbortSignal,
  id: string = randomUUID(),
): Promise<'new' | 'known'> {
  const { namespace, name } = identity;
  const text = `${JSON.stringify({ namespace, name, id })}\n`;
  const outcome = await putSmallObject(driver, IDENTITY_NAME, text, { signal, keepExisting: true });
  await assertIdentity(driver, identity, signal);
  return outcome === 'created' ? 'new' : 'known';
}

const gone = () =>
  new StorageError('unavailable', `${IDENTITY_NAME} has gone from the storage; is the right one mounted?`, {
    reason: { name: 'IdentityMissing' },
  });
export const notYet = () =>
  new StorageError(
    'unavailable',
    `the storage has no ${IDENTITY_NAME} yet; a gateway of the store writes it when it first reaches the storage, ` +
      'and this process, which never does, waits for it',
    { reason: { name: 'WaitsForGateway', record: IDENTITY_NAME } },
  );

/**
 * The storage's id, `NAMESPACE/NAME/ID`.
 * @param absent makes the error of a storage without an identity: `notYet` in a process that has no right to write it
 * @throws ForeignStoreError, StorageError
 */
export async function assertIdentity(
  driver: Driver,
  identity: StoreIdentity,
  signal: AbortSignal,
  absent = gone,
): Promise<string> {
  const found = await readIdentity(driver, signal);
  if (found === undefined) throw absent();
  if (found.store !== format(identity)) throw new ForeignStoreError(format(identity), found.store);
  return found.storageID;
}

/** @throws StorageError unless both are ids of one storage */
export function assertSameStorage(found: string, expected: string): void {
  if (found === expected) return;
  throw new StorageError(
    'unavailable',
    `this is another storage than the store's: its ${IDENTITY_NAME} says ${found}, and the store's payloads are in ${expected}; is the endpoint, or the mount, the right one?`,
    { reason: { name: 'StorageReplaced' } },
  );
}

interface Found {
  /** `NAMESPACE/NAME` */
  readonly store: string;
  readonly storageID: string;
}

/** What answered may be a proxy's page or a service's error, so it says nothing of whose the storage is. */
function unreadable(what: string): StorageError {
  return new StorageError(
    'unavailable',
    `an unreadable answer: what is told to be ${IDENTITY_NAME} is ${what}, and not what a store writes; check the endpoint or the mount, and proxies on the way; if ${IDENTITY_NAME} itself was altered, restore it`,
  );
}

/** `undefined`: there is none. @throws StorageError also for what no store wrote */
async function readIdentity(driver: Driver, signal: AbortSignal): Promise<Found | undefined> {
  const object = await readSmallObject(driver, IDENTITY_NAME, signal);
  if (object === undefined) return undefined;
  if (object === 'unreadable') throw unreadable('an object of more than 4,096 bytes');
  const found = parseIdentity(object.text);
  if (found !== undefined) return found;
  throw unreadable(object.text === '' ? 'empty' : excerpt(object.text, 40));
}

function parseIdentity(text: string): Found | undefined {
  try {
    const { namespace, name, id } = JSON.parse(text) as Record<string, unknown>;
    if (typeof namespace === 'string' && typeof name === 'string') {
      const store = format({ namespace, name });
      if (id === undefined) return { store, storageID: store };
      if (typeof id === 'string' && isStorageId(id)) return { store, storageID: `${store}/${id}` };
    }
  } catch {
    // Not JSON, or `null`: not what this service writes.
  }
  return undefined;
}

function format({ namespace, name }: StoreIdentity): string {
  return `${namespace}/${name}`;
}
