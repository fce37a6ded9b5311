import type { ReadFailure, Reason } from '@largepayload/crds';
import { unavailable } from './case.fixture.ts';

/** Errors as pods report them. */

const denied = (message: string, reason?: Reason): ReadFailure => ({
  ...{ code: 'storage_denied', message, reason },
});
export const NO_BUCKET: ReadFailure = {
  ...unavailable(
    'cannot list folders: the bucket payloads does not exist; create it, or correct spec.storage.s3',
  ),
  reason: { name: 'BucketMissing' },
};
export const WRONG_KEY = denied(
  'cannot list folders: the credentials are not accepted (InvalidAccessKeyId); check the key and its secret',
);
export const NO_KEY = denied(
  "cannot list folders: no credentials: cannot read the credentials file /var/run/secrets/payload-store/credentials/AWS_ACCESS_KEY_ID: ENOENT: no such file or directory, realpath '/var/run/secrets/payload-store/credentials/AWS_ACCESS_KEY_ID'; give them by --credentials-dir, by AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or by a role",
  { name: 'CredentialsFileMissing', key: 'AWS_ACCESS_KEY_ID' },
);
export const NO_RIGHT = denied(
  'cannot list folders: access denied for s3:ListBucket on the bucket payloads (AccessDenied); allow it in the policy of these credentials',
  { name: 'AccessDenied' },
);
export const NO_RIGHT_TO_PUT = denied(
  'cannot write store.json: access denied for s3:PutObject on the bucket payloads (AccessDenied); allow it in the policy of these credentials',
  { name: 'AccessDenied' },
);
const NO_ROLE_EXPLANATION =
  'STS (sts.eu-central-1.amazonaws.com) does not give the role arn:aws:iam::111122223333:role/payloads (AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity); check that the role exists, and that its trust policy allows who asks';
export const NO_ROLE = denied(`cannot list folders: cannot get credentials: ${NO_ROLE_EXPLANATION}`, {
  name: 'CredentialsRefused',
  explanation: NO_ROLE_EXPLANATION,
});
export const STS_AWAY = unavailable(
  'cannot list folders: cannot get credentials: STS (sts.eu-central-1.amazonaws.com) cannot be reached (ECONNREFUSED)',
);
export const CLOCK_BEHIND: ReadFailure = {
  code: 'clock_difference',
  message:
    "this machine's clock is 86400.0 s behind 2026-06-02T12:00:00.000Z, which the store had reached (clock.json); no payload is stored until the clock is set right, or, if it is right, accepted by payload-store accept-clock",
  reason: { name: 'ClockBehind' },
};
export const CLOCK_AHEAD: ReadFailure = {
  code: 'clock_difference',
  message:
    "this machine's clock is 312.4 s ahead of the storage's; payloads are neither stored nor deleted until it is set right",
  reason: { name: 'ClockDifference', direction: 'ahead' },
};
export const FOREIGN: ReadFailure = {
  ...unavailable(
    'the storage belongs to the store billing/invoices, not to payments/orders; give each store a folder, bucket or prefix of its own',
  ),
  reason: { name: 'StorageOwnedByAnotherStore', owner: 'billing/invoices' },
};
export const REPLACED: ReadFailure = {
  ...unavailable(
    "this is another storage than the store's: its store.json says payments/orders/2, and the store's payloads are in payments/orders/1; is the endpoint, or the mount, the right one?",
  ),
  reason: { name: 'StorageReplaced' },
};
export const HOLDER = 'payments/orders of the cluster prod-eu (0b54cbd3-7a86-4f0c-9c1c-6c6bc9c7a8a3)';
export const IN_USE: ReadFailure = {
  ...unavailable(
    `the storage is in use by ${HOLDER} since 2026-05-01T08:00:00.000Z; nothing is stored or deleted here: give each store a bucket, prefix or folder of its own, or, to share it on purpose, say storage.shared: true in both`,
  ),
  reason: { name: 'StorageInUse', holder: HOLDER, since: '2026-05-01T08:00:00.000Z', shareIn: 'both' },
};
export const WAITS: ReadFailure = {
  ...unavailable(`waits for the storage for at most 94 s: it was used by ${HOLDER}, which may be ending`),
  reason: { name: 'WaitsForStorage', holder: HOLDER, state: 'ending' },
};
export const REAPER_WAITS: ReadFailure = {
  ...unavailable(
    `waits until a gateway of the store takes the storage over: it was used by ${HOLDER}, which has ended`,
  ),
  reason: { name: 'WaitsForGateway', record: 'lease.json' },
};
export const PREFIX: ReadFailure = {
  ...unavailable(
    'no store may be begun here: the prefix "expires-a/" has a segment that stores keep for themselves (blobs, expires-…, . or ..); give it another prefix',
  ),
  reason: { name: 'PrefixNotAllowed' },
};
export const GONE: ReadFailure = {
  ...unavailable('store.json has gone from the storage; is the right one mounted?'),
  reason: { name: 'IdentityMissing' },
};
