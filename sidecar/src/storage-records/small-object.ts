import { createHash } from 'node:crypto';
import { bytesOf, sourceOf } from '../bytes/byte-streams.ts';
import { writeAll } from '../bytes/object-writer.ts';
import type { Driver, PutOptions } from '../drivers/driver.ts';

/** Bytes; a larger object is none of the service's own. */
const LARGEST = 4_096;

/** Puts what the service itself keeps in the storage, of some hundred bytes. @throws StorageError; the signal's reason */
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
 * What the service itself keeps in the storage under this name; `undefined`: there is none, `unreadable`: it is too large to be
 * ours. @throws StorageError; the signal's reason
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
