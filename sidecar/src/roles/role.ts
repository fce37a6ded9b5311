import type { LargePayloadStore } from '@largepayload/crds';
import type { FastifyBaseLogger } from 'fastify';
import type { ClusterAccess } from '../callers/keys/key-sources.ts';
import type { DataLimits } from '../data-api/limits.ts';
import type { Mounts } from '../drivers/start-driver.ts';
import type { ListenAddress } from '../http/listen-address.ts';
import type { LeaseTimes } from '../storage-records/lease/lease-decision.ts';
import type { ExpectedStorage } from '../storage-records/ownership/begin-store.ts';

export type RoleName = 'standalone' | 'gateway' | 'reaper';

export interface ServiceSettings {
  readonly manifest: LargePayloadStore;
  readonly version: string;
  readonly listen: Readonly<Record<'data' | 'metrics' | 'admin', ListenAddress>>;
  readonly limits?: Partial<DataLimits>;
  /** bytes of the cache that is wanted; absent: none */
  readonly cacheSize?: number | undefined;
  /** has `tls.crt` and `tls.key`, perhaps not yet; absent: the data port takes plain HTTP only */
  readonly tlsFolder?: string | undefined;
  readonly expected?: ExpectedStorage;
  /** whether a person vouches, for this start, that the clock is right */
  readonly acceptClock?: boolean;
  readonly resource?: ClusterResource;
  readonly leaseTimes?: LeaseTimes;
  /** where a gateway finds the keys of tokens of service accounts; absent: it takes none of them */
  readonly cluster?: ClusterAccess | undefined;
}

/** The resource that this process belongs to. It differs from a resource of the same name in another cluster. */
export interface ClusterResource {
  readonly uid?: string | undefined;
  /** the name of its cluster, for people */
  readonly cluster?: string | undefined;
}

export interface RunningService<Port extends string = string> {
  /** `HOST:PORT` of each port, as bound */
  readonly addresses: Readonly<Record<Port, string>>;
  /** Takes no new work, lets what is in flight finish up to a limit, and ends. */
  stop(): Promise<void>;
}

/** What one process of a store does: a composition of the parts that all roles share, in a file of its own. */
export interface Role {
  readonly name: RoleName;
  readonly hasDataPort: boolean;

  /** @throws ManifestError when there is nothing to do in this role for such a store */
  assertNeeded?(manifest: LargePayloadStore): void;

  /** The fields that are set and have no effect in this role. */
  unusedFields?(manifest: LargePayloadStore): readonly string[];

  /** @throws ForeignStoreError, StorageError, or the error of a port that cannot be listened on */
  start(settings: ServiceSettings, mounts: Mounts, log: FastifyBaseLogger): Promise<RunningService>;
}
