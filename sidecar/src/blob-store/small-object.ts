import { createHash } from 'node:crypto';
import type { Driver, PutOptions } from '../drivers/driver.ts';

/** Puts what the service itself keeps in the storage, of some hundred bytes. @throws StorageError; the signal's reason */
export async function putSmallObject(
  driver: Driver,
  name: string,
  text: string,
  options: PutOptions,
): Promise<'created' | 'existed'> {
  const bytes = Buffer.from(text);
  const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
  const body = async function* () {
    yield bytes;
  };
  return await driver.put(name, body(), { size: bytes.length, digest }, options);
}
