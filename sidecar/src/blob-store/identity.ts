import { type Driver, StorageError } from '../drivers/driver.ts';
import { putSmallObject } from './small-object.ts';

const IDENTITY_NAME = 'store.json';
const MAX_IDENTITY_BYTES = 4_096;

/** The resource a folder or bucket belongs to. Never its UID: a re-created resource keeps its data. */
export interface StoreIdentity {
  readonly namespace: string;
  readonly name: string;
}

/** The storage holds the data of another store, whose reaper and windows would not agree with ours. */
export class ForeignStoreError extends Error {
  constructor(ours: StoreIdentity, theirs: string) {
    super(
      `the storage belongs to the store ${theirs}, not to ${format(ours)}; give each store a folder, bucket or prefix of its own`,
    );
    this.name = 'ForeignStoreError';
  }
}

/** Writes our identity into an empty storage (`new`), and compares it with what is there. @throws ForeignStoreError, StorageError */
export async function claimStorage(
  driver: Driver,
  identity: StoreIdentity,
  signal: AbortSignal,
): Promise<'new' | 'known'> {
  const text = `${JSON.stringify({ namespace: identity.namespace, name: identity.name })}\n`;
  const outcome = await putSmallObject(driver, IDENTITY_NAME, text, { signal, keepExisting: true });
  await assertIdentity(driver, identity, signal);
  return outcome === 'created' ? 'new' : 'known';
}

const GONE = `${IDENTITY_NAME} has gone from the storage; is the right one mounted?`;
const NOT_YET =
  `the storage has no ${IDENTITY_NAME} yet; a gateway of the store writes it when it first reaches the storage, ` +
  'and this process, which never does, waits for it';

/** @throws ForeignStoreError, StorageError also when the identity has gone */
export async function assertIdentity(
  driver: Driver,
  identity: StoreIdentity,
  signal: AbortSignal,
): Promise<void> {
  assertSame(identity, await readIdentity(driver, signal), GONE);
}

/** For whoever has no right to write it. @throws ForeignStoreError, StorageError also when nobody has claimed the storage yet */
export async function assertClaimed(
  driver: Driver,
  identity: StoreIdentity,
  signal: AbortSignal,
): Promise<void> {
  assertSame(identity, await readIdentity(driver, signal), NOT_YET);
}

function assertSame(identity: StoreIdentity, found: string | undefined, absent: string): void {
  if (found === undefined) throw new StorageError('unavailable', absent);
  if (found !== format(identity)) throw new ForeignStoreError(identity, found);
}

/** `undefined`: there is none */
async function readIdentity(driver: Driver, signal: AbortSignal): Promise<string | undefined> {
  const blob = await driver.open(IDENTITY_NAME, signal);
  if (blob === undefined) return undefined;
  if (blob.size > MAX_IDENTITY_BYTES) {
    await blob.close();
    return `described by an unreadable ${IDENTITY_NAME}`;
  }
  const chunks: Buffer[] = [];
  for await (const chunk of blob.chunks()) chunks.push(Buffer.from(chunk));
  try {
    const { namespace, name } = JSON.parse(Buffer.concat(chunks).toString()) as Partial<StoreIdentity>;
    if (typeof namespace === 'string' && typeof name === 'string') return format({ namespace, name });
  } catch {
    // Not JSON, or `null`: not what this service writes.
  }
  return `described by an unreadable ${IDENTITY_NAME}`;
}

function format({ namespace, name }: StoreIdentity): string {
  return `${namespace}/${name}`;
}
