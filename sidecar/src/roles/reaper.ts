import { ManifestError, storageKindOf } from '@largepayload/crds';
import { AwaitedDriver } from '../drivers/awaited-driver.ts';
import type { Driver } from '../drivers/driver.ts';
import { joinStore } from '../storage-records/ownership/begin-store.ts';
import { tryDelete } from '../storage-records/write-check/delete-trial.ts';
import { awaitStorage, IN_CLUSTER, openStorage } from './await-storage.ts';
import type { Role } from './role.ts';
import { runService } from './run-service.ts';
import { buildStorageParts } from './storage-parts.ts';
import { buildReaper, buildStoragePorts, storageOperationsPorts } from './storage-ports.ts';

/** Deletes what has expired in a bucket, and stores nothing: it waits until a gateway has begun the store there, and until it may delete there. */
export const reaper: Role = {
  name: 'reaper',
  hasDataPort: false,
  assertNeeded({ spec, metadata }) {
    const problems = [];
    if (spec.retention.ttl === 'Forever') {
      const message = 'nothing expires in a store that keeps for ever; run no --role reaper for it';
      problems.push({ path: 'spec.retention.ttl', message });
    }
    const { name, deletedBy } = storageKindOf(spec);
    if (deletedBy === 'gateway') {
      const message = `with ${name} storage the gateway also reaps; run no --role reaper for it`;
      problems.push({ path: `spec.storage.${name}`, message });
    }
    if (problems.length > 0) throw new ManifestError(`LargePayloadStore ${metadata.name}`, problems);
  },
  async start(settings, mounts, log) {
    const driver = new AwaitedDriver(storageKindOf(settings.manifest.spec).name);
    const storage = buildStorageParts(
      { role: 'reaper', mayPut: false, ...IN_CLUSTER },
      driver,
      settings,
      log,
    );
    const ports = buildStoragePorts(storage);
    const reaper = buildReaper(storage, ports);
    return await runService({
      ports: storageOperationsPorts(storage, ports, { reaper, mayDelete: true }),
      readiness: ports.readiness,
      work: async (signal) => {
        const admit = async (opened: Driver, limit: AbortSignal) => {
          await joinStore(opened, storage.identity, limit, settings.expected);
          await storage.lease.acquire(opened, limit);
          await tryDelete(opened, limit);
        };
        await awaitStorage(driver, () => openStorage(settings, mounts, admit, log, signal), log, signal);
        await reaper?.run(signal);
      },
      release: () => storage.lease.release(),
      close: () => driver.close(),
    });
  },
};
