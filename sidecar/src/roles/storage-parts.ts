import { parseDuration, reservedPrefix, storageKindOf } from '@largepayload/crds';
import type { FastifyBaseLogger } from 'fastify';
import type { Driver } from '../drivers/driver.ts';
import { ClockGuard } from '../storage-records/clock/clock-guard.ts';
import { ClockKeeper } from '../storage-records/clock/clock-keeper.ts';
import { ClockMemory } from '../storage-records/clock/clock-memory.ts';
import { clockRules } from '../storage-records/clock/clock-plausibility.ts';
import type { StoreIdentity } from '../storage-records/identity/identity.ts';
import { StorageLease } from '../storage-records/lease/storage-lease.ts';
import {
  assertStorage,
  type Beginning,
  expectedStorageID,
} from '../storage-records/ownership/begin-store.ts';
import { OwnershipGuard } from '../storage-records/ownership/ownership-guard.ts';
import { tryWrite } from '../storage-records/write-check/write-trial.ts';
import { WriteWatch } from '../storage-records/write-check/write-watch.ts';
import { timeLimit } from '../time/time-limit.ts';
import { identityOf, ttlOf } from './manifest-facts.ts';
import type { RoleName, ServiceSettings } from './role.ts';

const IDENTITY_TIMEOUT = 10_000;
const MOVE = 'copy the data to a store of another prefix, or delete what has expired by hand';

/** What a role decides for all its parts. */
export interface Traits {
  readonly role: RoleName;
  /** the difference allowed between the clocks of any two processes of the store, ms; the same in all of them */
  readonly clockToleranceMs: number;
  /** whether readiness, once reached, lasts until the end */
  readonly latchReadiness: boolean;
  /** whether this process may put: it then keeps in the storage what it learns of time */
  readonly mayPut: boolean;
}

/** What works on the storage. */
export interface StorageParts {
  readonly traits: Traits;
  readonly settings: ServiceSettings;
  readonly identity: StoreIdentity;
  readonly driver: Driver;
  readonly clock: ClockGuard;
  readonly clockKeeper: ClockKeeper;
  readonly ownership: OwnershipGuard;
  readonly lease: StorageLease;
  readonly beginning: Beginning;
  readonly writes: WriteWatch;
  readonly log: FastifyBaseLogger;
}

export function buildStorageParts(
  traits: Traits,
  driver: Driver,
  settings: ServiceSettings,
  log: FastifyBaseLogger,
): StorageParts {
  const identity = identityOf(settings.manifest);
  const { clock, clockKeeper } = buildClock(traits, driver, settings, log);
  const reserved = reservedPrefix(settings.manifest.spec);
  if (reserved !== undefined)
    log.warn({ reason: reserved }, 'nothing is deleted from this place, nor a new store begun in it');
  const lease = buildLease(traits, driver, settings, log);
  const { identityLifetimeMs, needsTrials } = storageKindOf(settings.manifest.spec);
  const ownership = new OwnershipGuard(
    async () => assertStorage(driver, identity, identityLimit(), await expectedStorageID(settings.expected)),
    identityLifetimeMs,
    { lease, neverDelete: reserved && `nothing is deleted: ${reserved}; ${MOVE}` },
  );
  return {
    ...{ traits, settings, identity, driver, clock, clockKeeper, ownership, lease, log },
    beginning: { lease, clockKeeper, noNewStore: reserved, needsTrials },
    writes: new WriteWatch(() => tryWrite(driver)),
  };
}

function buildClock(
  { clockToleranceMs, mayPut }: Traits,
  driver: Driver,
  { manifest, acceptClock }: ServiceSettings,
  log: FastifyBaseLogger,
): Pick<StorageParts, 'clock' | 'clockKeeper'> {
  const rules = clockRules({
    ttl: ttlOf(manifest),
    reaperInterval: parseDuration(manifest.spec.retention.reaperInterval),
    clockToleranceMs,
    storageHasClock: storageKindOf(manifest.spec).hasOwnClock,
  });
  const memory = new ClockMemory(rules);
  const clock = new ClockGuard(driver, clockToleranceMs, memory);
  const clockKeeper = new ClockKeeper({ driver, clock, memory, log }, { mayWrite: mayPut });
  if (acceptClock === true) clockKeeper.acceptOnce();
  return { clock, clockKeeper };
}

function buildLease(
  { mayPut, clockToleranceMs }: Traits,
  driver: Driver,
  { manifest, resource, leaseTimes }: ServiceSettings,
  log: FastifyBaseLogger,
): StorageLease {
  const { namespace, name } = identityOf(manifest);
  const store = `${namespace}/${name}`;
  const shared = manifest.spec.storage.shared ?? false;
  const { identityLifetimeMs: lifetimeMs, createsExactly } = storageKindOf(manifest.spec);
  return new StorageLease(
    driver,
    { holder: resource?.uid ?? store, store, cluster: resource?.cluster, shared, mayWrite: mayPut },
    log,
    { lifetimeMs, clockToleranceMs, createsExactly, times: leaseTimes },
  );
}

/** How long a look at the store's identity may take. */
export function identityLimit(): AbortSignal {
  return timeLimit(IDENTITY_TIMEOUT, "the store's identity (store.json)");
}
