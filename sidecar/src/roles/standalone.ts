import type { LargePayloadStore } from '@largepayload/crds';
import { parseDuration, parseQuantity } from '@largepayload/crds';
import type { FastifyBaseLogger } from 'fastify';
import { BlobStore } from '../blob-store/blob-store.ts';
import { ClockGuard } from '../blob-store/clock-guard.ts';
import { assertIdentity, claimStorage, type StoreIdentity } from '../blob-store/identity.ts';
import { timeLimit } from '../blob-store/time-limit.ts';
import { ByteBudget } from '../data-api/byte-budget.ts';
import { buildDataServer } from '../data-api/data-server.ts';
import { type DataLimits, DEFAULT_LIMITS } from '../data-api/limits.ts';
import { TransferWatch } from '../data-api/transfer-watch.ts';
import type { Driver } from '../drivers/driver.ts';
import { drainable } from '../http/drain.ts';
import { listen } from '../http/listen.ts';
import type { ListenAddress } from '../http/listen-address.ts';
import { buildAdminServer } from '../operations/admin-server.ts';
import { Metrics } from '../operations/metrics.ts';
import { buildMetricsServer } from '../operations/metrics-server.ts';
import { Readiness } from '../operations/readiness.ts';
import { Reaper } from '../retention/reaper.ts';

/** Processes on a folder share one machine's clock. */
const CLOCK_TOLERANCE_ON_FOLDER = 0;
/** Those on a bucket may be on several machines, each within 2 s of the storage's clock, or it stores and deletes nothing. */
const CLOCK_TOLERANCE_ON_BUCKET = 2_000;
const STORAGE_TIMEOUT = 10_000;
/** Kubernetes gives 30 s between SIGTERM and SIGKILL. */
const DRAIN_LIMIT = 25_000;
/** Nothing is lost when the other ports cut off: a cleanup goes on when it is asked for again. */
const SHORT_DRAIN_LIMIT = 1_000;

export interface StandaloneSettings {
  readonly manifest: LargePayloadStore;
  readonly version: string;
  readonly listen: {
    readonly data: ListenAddress;
    readonly metrics: ListenAddress;
    readonly admin: ListenAddress;
  };
  readonly limits?: Partial<DataLimits>;
}

export interface RunningService {
  /** `HOST:PORT` of each port, as bound */
  readonly addresses: { readonly data: string; readonly metrics: string; readonly admin: string };
  /** Takes no new work, lets what is in flight finish up to a limit, and ends. */
  stop(): Promise<void>;
}

/**
 * The whole service in one process: data, metrics and admin ports and the reaper. Takes over the driver, and closes it.
 * @throws ForeignStoreError, StorageError, or the error of a port that cannot be listened on
 */
export async function startStandalone(
  driver: Driver,
  settings: StandaloneSettings,
  log: FastifyBaseLogger,
): Promise<RunningService> {
  const { spec, metadata } = settings.manifest;
  const identity: StoreIdentity = { namespace: metadata.namespace ?? 'default', name: metadata.name };
  const ttl = spec.retention.ttl === 'Forever' ? undefined : parseDuration(spec.retention.ttl);
  const limits = {
    ...DEFAULT_LIMITS,
    maxPayloadSize: parseQuantity(spec.maxPayloadSize),
    ...settings.limits,
  };
  const clockTolerance =
    spec.storage.filesystem === undefined ? CLOCK_TOLERANCE_ON_BUCKET : CLOCK_TOLERANCE_ON_FOLDER;
  const clock = new ClockGuard(driver, clockTolerance);
  const identityLimit = () => timeLimit(STORAGE_TIMEOUT, "the store's identity (store.json)");
  const assertOurs = () => assertIdentity(driver, identity, identityLimit());
  const readiness = new Readiness(async () => {
    await assertOurs();
    await clock.check();
  });
  const budget = new ByteBudget(limits.inFlightBytes);
  const watch = new TransferWatch(limits);
  const metrics = new Metrics({ requests: () => watch.size, bytes: () => budget.used });
  const store = new BlobStore(driver, clock, assertOurs, { ttl, clockTolerance });
  const reaper =
    ttl === undefined
      ? undefined
      : new Reaper(
          { driver, clock, metrics, log },
          { interval: parseDuration(spec.retention.reaperInterval), clockTolerance },
        );

  const data = buildDataServer({ store, limits, budget, watch, metrics, readiness, log });
  const operations = buildMetricsServer({ metrics, readiness, log });
  const { version } = settings;
  const admin = buildAdminServer({ identity, version, driver, clock, metrics, readiness, reaper, log });
  const servers = [data, operations, admin];
  const [endData, endOperations, endAdmin] = [drainable(data), drainable(operations), drainable(admin)];
  const stopReaper = new AbortController();
  try {
    const claim = await claimStorage(driver, identity, identityLimit());
    if (claim === 'new')
      log.warn({ store: identity }, 'the storage was empty: this begins a new store in it');
    const addresses = {
      data: await listen(data, settings.listen.data),
      metrics: await listen(operations, settings.listen.metrics),
      admin: await listen(admin, settings.listen.admin),
    };
    const reaping = reaper?.run(stopReaper.signal);
    const stop = async () => {
      readiness.beginDraining();
      stopReaper.abort();
      await Promise.all([endData(DRAIN_LIMIT), endAdmin(SHORT_DRAIN_LIMIT), reaping]);
      await endOperations(SHORT_DRAIN_LIMIT);
      await driver.close();
    };
    return { addresses, stop };
  } catch (error) {
    await Promise.all(servers.map((server) => server.close()));
    await driver.close();
    throw error;
  }
}
