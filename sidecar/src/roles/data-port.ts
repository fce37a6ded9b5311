import { Callers } from '../callers/callers.ts';
import { buildDataServer } from '../data-api/data-server.ts';
import type { DrainTimes } from '../http/drain.ts';
import { BlobStore } from '../payload-service/blob-store/blob-store.ts';
import type { PayloadService } from '../payload-service/payload-service.ts';
import { policyOf, ttlOf } from './manifest-facts.ts';
import type { PortParts } from './port-parts.ts';
import type { Port } from './run-service.ts';
import type { StorageParts } from './storage-parts.ts';
import { withCache } from './with-cache.ts';

/** @param callers default: all that reach the port, and what they ask for is what the store serves */
export function dataPort(
  { traffic, metrics, tls, log, settings: { manifest, listen } }: PortParts,
  service: PayloadService,
  drain: DrainTimes,
  callers = new Callers({ authentication: 'None', policy: policyOf(manifest) }, metrics),
): Port {
  const app = buildDataServer({ ...traffic, service, metrics, callers, tls, log });
  return { app, address: listen.data, drain };
}

/** The data port of a process that has the storage itself. */
export async function storageDataPort(
  storage: StorageParts,
  ports: PortParts,
  drain: DrainTimes,
  callers?: Callers,
): Promise<Port> {
  const { driver, clockKeeper, ownership, writes, traits, settings } = storage;
  const guards = { clock: clockKeeper, ownership, writes, readiness: ports.readiness };
  const { clockToleranceMs } = traits;
  const service = new BlobStore(driver, guards, { ttl: ttlOf(settings.manifest), clockToleranceMs });
  return dataPort(ports, await withCache(service, ports), drain, callers);
}
