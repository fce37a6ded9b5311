import type { LeaseReport, ReaperReport, StatusReport } from '@largepayload/crds';
import type { Driver } from '../drivers/driver.ts';
import type { Reaper } from '../retention/reaper.ts';
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

/** Whose process this is and how it does. It has no key of a payload and no id of a workflow. */
export async function statusOf(context: StatusContext): Promise<StatusReport> {
  const { identity, ownership, lease, role, version, driver, readiness, reaper } = context;
  const report = withoutKeysInError(await readiness.report());
  const status = {
    ...{ store: identity, role, version, storage: driver.kind, storageID: ownership.storageID ?? null },
    lease: leaseReport(lease.found),
    ...report,
    reaper: reaper === undefined ? null : withoutKeysInLastError(reaper.status),
  };
  return { ...status, revision: revisionOf(status) };
}

function leaseReport(lease: Lease | undefined): LeaseReport | undefined {
  if (lease === undefined) return undefined;
  const { since, renewed, ...rest } = lease;
  return { ...rest, since: new Date(since).toISOString(), renewed: new Date(renewed).toISOString() };
}

function withoutKeysInError(report: ReadinessReport): ReadinessReport {
  if (report.ready) return report;
  const { error } = report;
  return { ready: false, error: { ...error, message: withoutKeys(error.message) } };
}

function withoutKeysInLastError({ lastError, ...status }: ReaperReport): ReaperReport {
  return { ...status, lastError: lastError === undefined ? undefined : withoutKeys(lastError) };
}
