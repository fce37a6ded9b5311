import { type LargePayloadStore, parseDuration, parseQuantity, storageKindOf } from '@largepayload/crds';
import type { FastifyBaseLogger, FastifyInstance } from 'fastify';
import { buildDataServer } from '../data-api/data-server.ts';
import { type DataLimits, DEFAULT_LIMITS } from '../data-api/limits.ts';
import type { Driver } from '../drivers/driver.ts';
import { FairBudget } from '../http/fair-budget.ts';
import { TransferWatch } from '../http/transfer-watch.ts';
import { memoryLimit } from '../memory/memory-limit.ts';
import { processLimits } from '../memory/process-limits.ts';
import { buildAdminServer } from '../operations/admin-server.ts';
import { Metrics } from '../operations/metrics.ts';
import { buildMetricsServer } from '../operations/metrics-server.ts';
import { Readiness } from '../operations/readiness.ts';
import { statusOf } from '../operations/status.ts';
import { BlobStore } from '../payload-service/blob-store/blob-store.ts';
import { Reaper } from '../retention/reaper.ts';
import { ClockGuard } from '../storage-records/clock/clock-guard.ts';
import { ClockKeeper } from '../storage-records/clock/clock-keeper.ts';
import { ClockMemory } from '../storage-records/clock/clock-memory.ts';
import { clockRules } from '../storage-records/clock/clock-plausibility.ts';
import type { StoreIdentity } from '../storage-records/identity/identity.ts';
import { StorageLease } from '../storage-records/lease/storage-lease.ts';
import { OwnershipGuard } from '../storage-records/ownership/ownership-guard.ts';
import {
  assertStorage,
  type Beginning,
  claimedStorage,
} from '../storage-records/ownership/storage-identity.ts';
import { tryWrite } from '../storage-records/write-check/write-trial.ts';
import { WriteWatch } from '../storage-records/write-check/write-watch.ts';
import { timeLimit } from '../time/time-limit.ts';
import { reservedPrefix } from './reserved-prefix.ts';
import type { RoleName, ServiceSettings } from './role.ts';

const IDENTITY_TIMEOUT = 10_000;

const MOVE = 'copy the data to a store of another prefix, or delete what has expired by hand';

/** What a role decides for all its parts. */
export interface Traits {
  readonly role: RoleName;
  /** the difference allowed between the clocks of any two processes of the store, ms; the same in all of them */
  readonly clockTolerance: number;
  /** whether readiness, once reached, lasts until the end */
  readonly latchReadiness: boolean;
  /** whether this process may put: it then keeps in the storage what it learns of time */
  readonly mayPut: boolean;
}

/** What every role has, whatever else it is made of. */
export interface ServiceParts {
  readonly traits: Traits;
  readonly settings: ServiceSettings;
  readonly identity: StoreIdentity;
  /** ms; `undefined`: payloads are kept for ever */
  readonly ttl: number | undefined;
  readonly driver: Driver;
  readonly clock: ClockGuard;
  readonly clockKeeper: ClockKeeper;
  readonly ownership: OwnershipGuard;
  readonly lease: StorageLease;
  readonly beginning: Beginning;
  readonly writes: WriteWatch;
  readonly readiness: Readiness;
  readonly traffic: {
    readonly limits: DataLimits;
    readonly budget: FairBudget;
    readonly watch: TransferWatch;
  };
  readonly metrics: Metrics;
  readonly log: FastifyBaseLogger;
}

export function buildParts(
  traits: Traits,
  driver: Driver,
  settings: ServiceSettings,
  log: FastifyBaseLogger,
): ServiceParts {
  const identity = identityOf(settings.manifest);
  const ttl = ttlOf(settings.manifest);
  const { clock, clockKeeper } = buildClock(traits, driver, settings, log);
  const reserved = reservedPrefix(settings.manifest);
  if (reserved !== undefined)
    log.warn({ reason: reserved }, 'nothing is deleted from this place, nor a new store begun in it');
  const lease = buildLease(traits, driver, settings, log);
  const { identityLifetimeMs, needsTrials } = storageKindOf(settings.manifest.spec);
  const beginning = { lease, clockKeeper, noNewStore: reserved, needsTrials };
  const ownership = new OwnershipGuard(
    async () => assertStorage(driver, identity, identityLimit(), await claimedStorage(settings.claim)),
    identityLifetimeMs,
    { lease, neverDelete: reserved && `nothing is deleted: ${reserved}; ${MOVE}` },
  );
  const writes = new WriteWatch(() => tryWrite(driver));
  const look = async () => {
    await ownership.check();
    await clock.check();
    await clockKeeper.assertMayPlace();
    await writes.check();
  };
  const readiness = new Readiness(look, { latch: traits.latchReadiness });
  const traffic = buildTraffic(settings);
  const metrics = new Metrics({
    requests: () => traffic.watch.size,
    bytes: () => traffic.budget.used,
  });
  metrics.watchReadiness(readiness);
  return {
    ...{ traits, settings, identity, ttl, driver, clock, clockKeeper, ownership, lease, beginning, writes },
    ...{ readiness, traffic, metrics, log },
  };
}

function ttlOf({ spec }: LargePayloadStore): number | undefined {
  const { ttl } = spec.retention;
  return ttl === 'Forever' ? undefined : parseDuration(ttl);
}

function buildClock(
  { clockTolerance, mayPut }: Traits,
  driver: Driver,
  { manifest, acceptClock }: ServiceSettings,
  log: FastifyBaseLogger,
): Pick<ServiceParts, 'clock' | 'clockKeeper'> {
  const rules = clockRules({
    ttl: ttlOf(manifest),
    reaperInterval: parseDuration(manifest.spec.retention.reaperInterval),
    clockTolerance,
    storageHasClock: storageKindOf(manifest.spec).hasOwnClock,
  });
  const memory = new ClockMemory(rules);
  const clock = new ClockGuard(driver, clockTolerance, memory);
  const clockKeeper = new ClockKeeper({ driver, clock, memory, log }, { mayWrite: mayPut });
  if (acceptClock === true) clockKeeper.acceptOnce();
  return { clock, clockKeeper };
}

export function identityOf({ metadata }: LargePayloadStore): StoreIdentity {
  return { namespace: metadata.namespace ?? 'default', name: metadata.name };
}

function buildLease(
  { mayPut, clockTolerance }: Traits,
  driver: Driver,
  { manifest, resource, leaseTimes }: ServiceSettings,
  log: FastifyBaseLogger,
): StorageLease {
  const { namespace, name } = identityOf(manifest);
  const store = `${namespace}/${name}`;
  const shared = manifest.spec.storage.shared ?? false;
  const { identityLifetimeMs: lifetime, createsExactly } = storageKindOf(manifest.spec);
  return new StorageLease(
    driver,
    {
      holder: resource?.uid ?? store,
      ...{ store, cluster: resource?.cluster, shared, mayWrite: mayPut },
    },
    log,
    {
      ...{ lifetime, clockTolerance, createsExactly },
      ...(leaseTimes !== undefined && { times: leaseTimes }),
    },
  );
}

/** How long a look at the store's identity may take. */
export function identityLimit(): AbortSignal {
  return timeLimit(IDENTITY_TIMEOUT, "the store's identity (store.json)");
}

/**
 * What deletes expired windows; `undefined`: payloads are kept for ever.
 * @param trial whether it still has to learn if it may delete
 */
export function buildReaper(
  { ttl, traits, settings, ...parts }: ServiceParts,
  { trial = false }: { trial?: boolean } = {},
): Reaper | undefined {
  if (ttl === undefined) return undefined;
  const interval = parseDuration(settings.manifest.spec.retention.reaperInterval);
  return new Reaper(parts, { interval, clockTolerance: traits.clockTolerance, trial });
}

/** The data port, and the longest that a PUT on it may take (ms). */
export function buildDataPort(parts: ServiceParts): { app: FastifyInstance; putTimeLimit: number } {
  const { driver, clockKeeper, ownership, writes, ttl, traits, traffic, metrics, readiness, log, settings } =
    parts;
  const { temporalNamespaces } = settings.manifest.spec;
  const namespaces = temporalNamespaces === undefined ? undefined : new Set(temporalNamespaces);
  const { clockTolerance } = traits;
  const store = new BlobStore(driver, { clock: clockKeeper, ownership, writes }, { ttl, clockTolerance });
  const app = buildDataServer({ ...traffic, store, metrics, readiness, namespaces, log });
  return { app, putTimeLimit: store.putTimeLimit };
}

/** The ports beside the data: metrics for everybody, admin for loopback. */
export function buildOperationsPorts(
  parts: ServiceParts,
  { reaper, mayDelete }: { reaper: Reaper | undefined; mayDelete: boolean },
): { metrics: FastifyInstance; admin: FastifyInstance } {
  const { identity, driver, clock, clockKeeper, ownership, lease, readiness, metrics, log } = parts;
  const { role, clockTolerance } = parts.traits;
  const { version } = parts.settings;
  const status = () => statusOf({ identity, ownership, lease, role, version, driver, readiness, reaper });
  return {
    metrics: buildMetricsServer({ metrics, readiness, status, log }),
    admin: buildAdminServer({
      ...{ driver, clock, clockKeeper, ownership, metrics, clockTolerance },
      ...{ status, mayDelete, log },
    }),
  };
}

function buildTraffic({ manifest, limits: ownLimits }: ServiceSettings): ServiceParts['traffic'] {
  const maxPayloadSize = parseQuantity(manifest.spec.maxPayloadSize);
  const { inFlightBytes, dataPort: connections } = processLimits(memoryLimit());
  const limits = { ...DEFAULT_LIMITS, inFlightBytes, connections, maxPayloadSize, ...ownLimits };
  const budget = new FairBudget({ ...limits, limit: limits.inFlightBytes });
  return { limits, budget, watch: new TransferWatch(limits, () => budget.demand) };
}
