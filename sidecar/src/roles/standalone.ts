import { setTimeout as sleep } from 'node:timers/promises';
import { type LargePayloadStore, storageKindOf } from '@largepayload/crds';
import type { FastifyBaseLogger } from 'fastify';
import type { Driver } from '../drivers/driver.ts';
import { startDriver } from '../drivers/start-driver.ts';
import { StorageInUseError } from '../errors/storage-in-use-error.ts';
import { beginStore } from '../storage-records/ownership/begin-store.ts';
import { storageDataPort } from './data-port.ts';
import { dataPortTls } from './data-port-tls.ts';
import type { Role, RunningService, ServiceSettings } from './role.ts';
import { runService } from './run-service.ts';
import { buildStorageParts, identityLimit, type StorageParts } from './storage-parts.ts';
import { buildReaper, buildStoragePorts, storageOperationsPorts } from './storage-ports.ts';

/** Kubernetes gives 30 s between SIGTERM and SIGKILL, and so do others. */
const DRAIN = { limitMs: 25_000 };
/** The schema's default, which a manifest without the field has too. */
const DEFAULT_THRESHOLD = 128_000;

/** The whole service in one process. It ends when its storage cannot be used at the start, as a person waits for it. */
export const standalone: Role = {
  name: 'standalone',
  hasDataPort: true,
  unusedFields,
  async start(settings, mounts, log) {
    const { driver, notices } = await startDriver(settings.manifest, mounts);
    for (const notice of notices) log.warn(notice);
    return await startStandalone(driver, settings, log);
  },
};

/**
 * Data, metrics and admin ports and the reaper. Takes over the driver, and closes it.
 * @throws ForeignStoreError, StorageError, or the error of a port that cannot be listened on
 */
export async function startStandalone(
  driver: Driver,
  settings: ServiceSettings,
  log: FastifyBaseLogger,
): Promise<RunningService<'data' | 'metrics' | 'admin'>> {
  if (settings.manifest.spec.gateway?.authentication === 'Token')
    log.warn('callers need no token here: spec.gateway.authentication is for the role gateway');
  const { standaloneClockToleranceMs: clockToleranceMs, needsTrials } = storageKindOf(settings.manifest.spec);
  const traits = { role: 'standalone', clockToleranceMs, latchReadiness: false, mayPut: true } as const;
  const storage = buildStorageParts(traits, driver, settings, log);
  try {
    await beginWhenFree(storage);
    await storage.clockKeeper.begin();
  } catch (error) {
    await driver.close();
    throw error;
  }
  const ports = buildStoragePorts(storage, { tls: dataPortTls(settings, false, log) });
  const reaper = buildReaper(storage, ports, { trial: needsTrials });
  return await runService({
    ports: {
      data: await storageDataPort(storage, ports, DRAIN),
      ...storageOperationsPorts(storage, ports, { reaper, mayDelete: true }),
    },
    readiness: ports.readiness,
    work: async (signal) => {
      await Promise.all([storage.lease.run(signal), storage.clockKeeper.run(signal), reaper?.run(signal)]);
    },
    release: () => storage.lease.release(),
    close: () => driver.close(),
  });
}

/** Waits where the storage becomes free by itself. @throws ForeignStoreError, StorageError */
async function beginWhenFree({ driver, identity, beginning, log }: StorageParts): Promise<void> {
  for (let logged = false; ; logged = true) {
    try {
      return await beginStore(driver, identity, log, identityLimit(), {}, beginning);
    } catch (error) {
      if (!(error instanceof StorageInUseError) || error.retryAfterMs === undefined) throw error;
      if (!logged) log.warn({ reason: error.message }, 'the storage cannot be used yet; trying again');
      await sleep(error.retryAfterMs);
    }
  }
}

/** The fields that are set but mean something in a cluster only. */
function unusedFields({ spec }: LargePayloadStore): string[] {
  const fields: Record<string, unknown> = {
    'spec.thresholdSize': spec.thresholdSize === DEFAULT_THRESHOLD ? undefined : spec.thresholdSize,
    'spec.allowedNamespaces': spec.allowedNamespaces,
    'spec.callers': spec.callers,
    'spec.gateway': Object.keys(spec.gateway ?? {}).length > 0 ? spec.gateway : undefined,
    'spec.reaper': spec.reaper,
    'spec.sidecar': spec.sidecar,
  };
  return Object.keys(fields).filter((field) => fields[field] !== undefined);
}
