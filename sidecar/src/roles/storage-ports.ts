import { type Authentication, parseDuration } from '@largepayload/crds';
import type { DataPortTls } from '../data-api/data-context.ts';
import { statusOf } from '../operations/status.ts';
import { Reaper } from '../retention/reaper.ts';
import { adminPort, buildPortParts, metricsPort, type PortParts } from './port-parts.ts';
import type { Port } from './run-service.ts';
import type { StorageParts } from './storage-parts.ts';

/** Whether payloads can be stored and read now. @throws ServiceError; ForeignStoreError, StorageError */
async function checkStorage({ ownership, clock, clockKeeper, writes }: StorageParts): Promise<void> {
  await ownership.check();
  await clock.check();
  await clockKeeper.assertMayPlace();
  await writes.check();
}

/**
 * What deletes expired windows; `undefined`: payloads are kept for ever.
 * @param trial whether it still has to learn if it may delete
 */
export function buildReaper(
  { traits, settings, ...parts }: StorageParts,
  { metrics }: PortParts,
  { trial = false }: { trial?: boolean } = {},
): Reaper | undefined {
  const { retention } = settings.manifest.spec;
  if (retention.ttl === 'Forever') return undefined;
  const intervalMs = parseDuration(retention.reaperInterval);
  return new Reaper({ ...parts, metrics }, { intervalMs, clockToleranceMs: traits.clockToleranceMs, trial });
}

interface BesideStorage {
  readonly tls?: DataPortTls | undefined;
  /** rejects when payloads cannot be served for another reason than the storage */
  readonly check?: () => Promise<void>;
}

export function buildStoragePorts(storage: StorageParts, beside: BesideStorage = {}): PortParts {
  const { settings, traits, log } = storage;
  const check = async () => {
    await checkStorage(storage);
    await beside.check?.();
  };
  return buildPortParts(settings, check, { latch: traits.latchReadiness, tls: beside.tls }, log);
}

interface OperationsOfRole {
  readonly reaper: Reaper | undefined;
  readonly mayDelete: boolean;
  readonly authentication?: Authentication;
}

/** The ports beside the data. */
export function storageOperationsPorts(
  storage: StorageParts,
  ports: PortParts,
  { reaper, mayDelete, authentication }: OperationsOfRole,
): { metrics: Port; admin: Port } {
  const { role, clockToleranceMs } = storage.traits;
  const { version } = storage.settings;
  const { metrics, readiness } = ports;
  const status = () => statusOf({ ...storage, role, version, authentication, readiness, reaper });
  return {
    metrics: metricsPort(ports, status),
    admin: adminPort(ports, { ...storage, clockToleranceMs, metrics, status, mayDelete }),
  };
}
