import { storageKindOf } from '@largepayload/crds';
import { AwaitedDriver } from '../drivers/awaited-driver.ts';
import type { Driver } from '../drivers/driver.ts';
import { beginStore } from '../storage-records/ownership/begin-store.ts';
import { awaitStorage, IN_CLUSTER, openStorage } from './await-storage.ts';
import { storageDataPort } from './data-port.ts';
import { dataPortTls, requiresTls } from './data-port-tls.ts';
import { gatewayCallers } from './gateway-callers.ts';
import { authenticationOf } from './manifest-facts.ts';
import type { Role } from './role.ts';
import { runService } from './run-service.ts';
import { buildStorageParts } from './storage-parts.ts';
import { buildReaper, buildStoragePorts, storageOperationsPorts } from './storage-ports.ts';

/** Clients may still be sent here for so long: the nodes of a cluster learn of the end of a pod later than the pod. */
const LAME_DUCK_MS = 5_000;
/** In this time the last bytes of an answer reach a slow reader. The network of a pod ends with the pod. */
const LINGER_MS = 5_000;
/** beyond the longest PUT, for its answer */
const DRAIN_MARGIN_MS = 10_000;

/**
 * Takes and serves payloads. On a folder, whose volume one pod can mount, it is also the store's reaper; on a bucket it
 * has no right to delete.
 */
export const gateway: Role = {
  name: 'gateway',
  hasDataPort: true,
  async start(settings, mounts, log) {
    const kind = storageKindOf(settings.manifest.spec);
    const driver = new AwaitedDriver(kind.name);
    const storage = buildStorageParts(
      { role: 'gateway', mayPut: true, ...IN_CLUSTER },
      driver,
      settings,
      log,
    );
    const authentication = authenticationOf(settings.manifest);
    const callers = gatewayCallers(settings, log);
    const tls = dataPortTls(settings, requiresTls(settings.manifest), log);
    const ports = buildStoragePorts(storage, { tls, check: callers.check });
    const mayDelete = kind.deletedBy === 'gateway';
    const reaper = mayDelete ? buildReaper(storage, ports) : undefined;
    const { putTimeLimitMs } = ports.traffic.limits;
    const limitMs = putTimeLimitMs + DRAIN_MARGIN_MS;
    const drain = { limitMs, lameDuckMs: LAME_DUCK_MS, lingerMs: LINGER_MS };
    return await runService({
      ports: {
        data: await storageDataPort(storage, ports, drain, callers.build(ports.metrics)),
        ...storageOperationsPorts(storage, ports, { reaper, mayDelete, authentication }),
      },
      readiness: ports.readiness,
      work: async (signal) => {
        const admit = (opened: Driver, limit: AbortSignal) =>
          beginStore(opened, storage.identity, log, limit, settings.expected, storage.beginning);
        await awaitStorage(driver, () => openStorage(settings, mounts, admit, log, signal), log, signal);
        await Promise.all([storage.lease.run(signal), storage.clockKeeper.run(signal), reaper?.run(signal)]);
      },
      release: () => storage.lease.release(),
      close: async () => {
        callers.close();
        await driver.close();
      },
    });
  },
};
