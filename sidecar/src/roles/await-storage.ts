import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyBaseLogger } from 'fastify';
import type { AwaitedDriver } from '../drivers/awaited-driver.ts';
import type { Driver } from '../drivers/driver.ts';
import { type Mounts, startDriver } from '../drivers/start-driver.ts';
import { StorageInUseError } from '../errors/storage-in-use-error.ts';
import type { ServiceSettings } from './role.ts';
import { identityLimit } from './storage-parts.ts';

const FIRST_PAUSE = 1_000;
const LONGEST_PAUSE = 15_000;
/** Pauses are this share longer or shorter, so that the pods of a store do not try in step. */
const JITTER = 0.2;

/**
 * What is the same in gateway and reaper. The clocks of a cluster's nodes differ by less than a minute, or something is
 * wrong; placement and deletion have to agree on that.
 */
export const IN_CLUSTER = { clockToleranceMs: 60_000, latchReadiness: true } as const;

/** Makes sure that a storage is this store's. @throws ForeignStoreError, StorageError */
export type Admit = (driver: Driver, signal: AbortSignal) => Promise<void>;

/** One try: the driver of a storage that can be used, and is this store's. @throws ForeignStoreError, StorageError */
export async function openStorage(
  { manifest }: ServiceSettings,
  mounts: Mounts,
  admit: Admit,
  log: FastifyBaseLogger,
  signal: AbortSignal,
): Promise<Driver> {
  const { driver, notices } = await startDriver(manifest, mounts, signal);
  try {
    await admit(driver, AbortSignal.any([signal, identityLimit()]));
  } catch (error) {
    await driver.close();
    throw error;
  }
  for (const notice of notices) log.warn(notice);
  return driver;
}

/**
 * Tries until the storage can be used, and lets the driver of it arrive. Whatever is wrong (a bucket that is not there
 * yet, credentials, the network, another store's data) may be put right while this process waits. Resolves also when
 * the signal is aborted; never rejects.
 */
export async function awaitStorage(
  awaited: AwaitedDriver,
  attempt: (signal: AbortSignal) => Promise<Driver>,
  log: FastifyBaseLogger,
  signal: AbortSignal,
): Promise<void> {
  let logged = '';
  for (let failures = 0; !signal.aborted; failures += 1) {
    let pause = pauseAfter(failures);
    try {
      awaited.arrive(await attempt(signal));
      log.info({ storage: awaited.kind }, 'the storage can be used');
      return;
    } catch (error) {
      if (signal.aborted) return;
      const { message } = error as Error;
      if (error instanceof StorageInUseError) pause = error.retryAfterMs ?? pause;
      awaited.stillWaiting(error as Error);
      if (message !== logged) log.warn({ reason: message }, 'the storage cannot be used yet; trying again');
      logged = message;
    }
    await sleep(pause, undefined, { signal }).catch(() => {});
  }
}

/** ms before the next try, when so many have failed before the last one. */
export function pauseAfter(failures: number, random: number = Math.random()): number {
  const pause = Math.min(FIRST_PAUSE * 2 ** failures, LONGEST_PAUSE);
  return pause * (1 - JITTER + 2 * JITTER * random);
}
