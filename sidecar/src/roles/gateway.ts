import { storageKindOf } from '@largepayload/crds';
import { AwaitedDriver } from '../drivers/awaited-driver.ts';
import type { Driver } from '../drivers/driver.ts';
import { beginStore } from '../storage-records/ownership/storage-identity.ts';
import { awaitStorage, IN_CLUSTER, openStorage } from './await-storage.ts';
import type { Role } from './role.ts';
import { runService } from './run-service.ts';
import { buildDataPort, buildOperationsPorts, buildParts, buildReaper } from './service-parts.ts';

/** ms for which clients may still be sent here: the nodes of a cluster learn of the end of a pod later than the pod. */
const LAME_DUCK = 5_000;
/** ms in which the last bytes of an answer reach a slow reader; with the pod its network goes */
const LINGER = 5_000;
/** ms beyond the longest PUT, for its answer */
const DRAIN_MARGIN = 10_000;

/**
 * Takes and serves payloads. On a folder, whose volume one pod can mount, it is also the store's reaper; on a bucket it
 * has no right to delete.
 */
export const gateway: Role = {
  name: 'gateway',
  hasDataPort: true,
  assertNeeded: () => {},
  unusedFields: () => [],
  async start(settings, mounts, log) {
    const kind = storageKindOf(settings.manifest.spec);
    const driver = new AwaitedDriver(kind.name);
    const parts = buildParts({ role: 'gateway', mayPut: true, ...IN_CLUSTER }, driver, settings, log);
    const mayDelete = kind.deletedBy === 'gateway';
    const reaper = mayDelete ? buildReaper(parts) : undefined;
    const data = buildDataPort(parts);
    return await runService({
      parts,
      servers: { data: data.app, ...buildOperationsPorts(parts, { reaper, mayDelete }) },
      drain: { limit: data.putTimeLimit + DRAIN_MARGIN, lameDuck: LAME_DUCK, linger: LINGER },
      work: async (signal) => {
        const claim = (opened: Driver, limit: AbortSignal) =>
          beginStore(opened, parts.identity, log, limit, settings.claim, parts.beginning);
        await awaitStorage(driver, () => openStorage(settings, mounts, claim, log, signal), log, signal);
        await Promise.all([parts.lease.run(signal), parts.clockKeeper.run(signal), reaper?.run(signal)]);
      },
    });
  },
};
