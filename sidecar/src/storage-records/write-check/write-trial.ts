import { randomInt, randomUUID } from 'node:crypto';
import type { Driver } from '../../drivers/driver.ts';
import { timeLimit } from '../../time/time-limit.ts';
import { putSmallObject } from '../small-object.ts';

/** An object that holds nothing, in no window. Gateways and standalone processes put it, reapers and standalone processes delete it. */
export const TRIAL_NAME = 'write-check';
/** How long the storage may take to store it (ms). */
const TRIAL_LIMIT = 8_000;
/** A service that keeps no checksums takes an object of the same size for the same one. */
const SIZES = 256;

/**
 * Writes a small object beside `store.json`, the way payloads are written: with their storage class and encryption, over
 * the last one. It takes the rights of a gateway, put, get and list; several processes may do it at once.
 * @throws StorageError that says why the storage takes no writes; the signal's reason
 */
export async function tryWrite(
  driver: Driver,
  signal: AbortSignal = new AbortController().signal,
): Promise<void> {
  const text = `payload-store wrote this to learn whether it may write here: ${new Date().toISOString()} ${randomUUID()} `;
  const limit = AbortSignal.any([signal, timeLimit(TRIAL_LIMIT, 'a small object, written as a trial')]);
  await putSmallObject(driver, TRIAL_NAME, `${text}${'.'.repeat(randomInt(SIZES))}\n`, { signal: limit });
}

/**
 * Lets the driver learn whether the storage compares bytes with their checksum. A storage that does leaves the object as it was.
 * @throws the signal's reason
 */
export async function tryChecksum(driver: Driver, signal: AbortSignal): Promise<void> {
  const limit = timeLimit(TRIAL_LIMIT, 'a small object with a wrong checksum, as a trial');
  await driver.tryChecksum?.(TRIAL_NAME, AbortSignal.any([signal, limit])).catch(() => {});
  signal.throwIfAborted();
}
