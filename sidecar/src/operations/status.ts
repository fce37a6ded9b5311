import type { Authentication, LeaseReport, StatusReport } from '@largepayload/crds';
import type { Driver } from '../drivers/driver.ts';
import type { Reaper } from '../retention/reaper.ts';
import type { StoreIdentity } from '../storage-records/identity/identity.ts';
import type { Lease } from '../storage-records/lease/lease.ts';
import type { StorageLease } from '../storage-records/lease/storage-lease.ts';
import type { OwnershipGuard } from '../storage-records/ownership/ownership-guard.ts';
import type { Readiness } from './readiness.ts';
import { revisionOf } from './status-revision.ts';
import { withoutKeys } from './without-keys.ts';

export interface StatusContext {
  readonly identity: StoreIdentity;
  readonly ownership: Pick<OwnershipGuard, 'storageID'>;
  readonly lease: Pick<StorageLease, 'found'>;
  /** as given by `--role` */
  readonly role: string;
  readonly version: string;
  /** `undefined`: this process is no gateway */
  readonly authentication?: Authentication | undefined;
  readonly driver: Pick<Driver, 'kind'>;
  readonly readiness: Readiness;
  /** `undefined`: this process does not reap */
  readonly reaper: Pick<Reaper, 'status'> | undefined;
}

/** Whose process this is and how it does. It has no key of a payload and no id of a workflow. */
export async function statusOf(context: StatusContext): Promise<StatusReport> {
  const { identity, ownership, lease, role, version, driver, readiness, reaper, authentication } = context;
  const report = await readiness.report();
  const status = {
    ...{
      store: identity,
      role,
      version,
      authentication,
      storage: driver.kind,
      storageID: ownership.storageID ?? null,
    },
    lease: leaseReport(lease.found),
    ...(report.ready ? report : { ready: false, error: withoutKeysIn(report.error, 'message') }),
    reaper: reaper === undefined ? null : withoutKeysIn(reaper.status, 'lastError'),
  };
  return { ...status, revision: revisionOf(status) };
}

function leaseReport(lease: Lease | undefined): LeaseReport | undefined {
  if (lease === undefined) return undefined;
  const { since, renewed, ...rest } = lease;
  return { ...rest, since: new Date(since).toISOString(), renewed: new Date(renewed).toISOString() };
}

function withoutKeysIn<Field extends string, Report extends { [field in Field]: string | undefined }>(
  report: Report,
  field: Field,
): Report {
  const text = report[field];
  return text === undefined ? report : { ...report, [field]: withoutKeys(text) };
}
