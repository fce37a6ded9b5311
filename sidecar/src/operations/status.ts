import type { Driver } from '../drivers/driver.ts';
import type { Reaper, ReaperStatus } from '../retention/reaper.ts';
import type { StoreIdentity } from '../storage-records/identity/identity.ts';
import type { Lease } from '../storage-records/lease/lease.ts';
import type { StorageLease } from '../storage-records/lease/storage-lease.ts';
import type { OwnershipGuard } from '../storage-records/ownership/ownership-guard.ts';
import type { Readiness, ReadinessReport } from './readiness.ts';
import { revisionOf } from './status-revision.ts';
import { withoutKeys } from './without-keys.ts';

export interface StatusContext {
  readonly identity: StoreIdentity;
  readonly ownership: Pick<OwnershipGuard, 'storageID'>;
  readonly lease: Pick<StorageLease, 'found'>;
  /** as given by `--role` */
  readonly role: string;
  readonly version: string;
  readonly driver: Pick<Driver, 'kind'>;
  readonly readiness: Readiness;
  /** `undefined`: this process does not reap */
  readonly reaper: Pick<Reaper, 'status'> | undefined;
}

export type Status = Pick<StatusContext, 'role' | 'version'> &
  ReadinessReport & {
    readonly store: StoreIdentity;
    /** of the storage that this process found, as `store.json` has it */
    readonly storageID: string | null;
    /** as `lease.json` has it, whosever it is; absent: none was read yet */
    readonly lease: LeaseStatus | undefined;
    readonly storage: string;
    readonly reaper: ReaperStatus | null;
    /** of this report, for `?since=` */
    readonly revision: string;
  };

/** Times are RFC 3339. */
export type LeaseStatus = Omit<Lease, 'since' | 'renewed'> & {
  readonly since: string;
  readonly renewed: string;
};

/** Whose process this is and how it does. No key of a payload is in it, nor a workflow's id. */
export async function statusOf({
  identity,
  ownership,
  lease,
  role,
  version,
  driver,
  readiness,
  reaper,
}: StatusContext): Promise<Status> {
  const report = withoutKeysInError(await readiness.report());
  const status = {
    ...{ store: identity, role, version, storage: driver.kind, storageID: ownership.storageID ?? null },
    lease: leaseStatus(lease.found),
    ...report,
    reaper: reaper === undefined ? null : withoutKeysInLastError(reaper.status),
  };
  return { ...status, revision: revisionOf(status) };
}

function leaseStatus(lease: Lease | undefined): LeaseStatus | undefined {
  if (lease === undefined) return undefined;
  const { since, renewed, ...rest } = lease;
  return { ...rest, since: new Date(since).toISOString(), renewed: new Date(renewed).toISOString() };
}

function withoutKeysInError(report: ReadinessReport): ReadinessReport {
  if (report.ready) return report;
  const { code, message } = report.error;
  return { ready: false, error: { code, message: withoutKeys(message) } };
}

function withoutKeysInLastError({ lastError, ...status }: ReaperStatus): ReaperStatus {
  return { ...status, lastError: lastError === undefined ? undefined : withoutKeys(lastError) };
}
