import { createHash } from 'node:crypto';
import { bytesOf, sourceOf } from '../bytes/byte-streams.ts';
import { writeAll } from '../bytes/object-writer.ts';
import type { Driver, PutOptions } from '../drivers/driver.ts';

/**
 * Records are small objects that the service keeps in the storage beside payloads: `store.json` (identity/), `lease.json`
 * (lease/), `clock.json` (clock/) and `write-check` (write-check/). Each has one owner; docs/storage.md has the table of who
 * puts, gets and deletes it.
 */

/** Bytes; a larger object is no record. */
const LARGEST = 4_096;

/** Puts a record. @throws StorageError; the signal's reason */
export async function putSmallObject(
  driver: Driver,
  name: string,
  text: string,
  options: PutOptions,
): Promise<'created' | 'existed'> {
  const bytes = Buffer.from(text);
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  return await writeAll(sourceOf([bytes]), await driver.begin(name, { size: bytes.length, digest }, options));
}

/**
 * The record of this name; `undefined`: there is none, `unreadable`: it is too large to be a record.
 * @throws StorageError; the signal's reason
 */
export async function readSmallObject(
  driver: Driver,
  name: string,
  signal: AbortSignal,
): Promise<{ readonly text: string } | 'unreadable' | undefined> {
  const blob = await driver.open(name, signal);
  if (blob === undefined) return undefined;
  if (blob.size > LARGEST) {
    await blob.close();
    return 'unreadable';
  }
  return { text: (await bytesOf(blob)).toString() };
}
