import {
  answer,
  but,
  complaint,
  HOUR,
  MINUTE,
  NOW,
  REAPED,
  STORAGE_ID,
  wellStore,
  withPods,
  withReports,
} from '../situation.fixture.ts';
import { ON_S3, store } from '../stores.fixture.ts';
import {
  allReports,
  type Case,
  FOREVER,
  failing,
  notReadyAtAll,
  remembering,
  startingGateway,
  WELL,
  well,
} from './case.fixture.ts';

const claimed = but(well, { store: store(ON_S3, {}, { storageID: STORAGE_ID }) });
const BUCKET_WORDS =
  'cannot list folders: the bucket payloads does not exist; create it, or correct spec.storage.s3';
const KEY_WORDS =
  'cannot list folders: the credentials are not accepted (InvalidAccessKeyId); check the key and its secret';
const NO_KEY_WORDS =
  "cannot list folders: no credentials: cannot read the credentials file /var/run/secrets/payload-store/credentials/AWS_ACCESS_KEY_ID: ENOENT: no such file or directory, realpath '/var/run/secrets/payload-store/credentials/AWS_ACCESS_KEY_ID'; give them by --credentials-dir, by AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or by a role";
const NO_RIGHT_WORDS =
  'cannot list folders: access denied for s3:ListBucket on the bucket payloads (AccessDenied); allow it in the policy of these credentials';
const NO_ROLE_WORDS =
  'cannot list folders: cannot get credentials: STS (sts.eu-central-1.amazonaws.com) does not give the role arn:aws:iam::111122223333:role/payloads (AccessDenied: Not authorized to perform sts:AssumeRoleWithWebIdentity); check that the role exists, and that its trust policy allows who asks';
const STS_AWAY_WORDS =
  'cannot list folders: cannot get credentials: STS (sts.eu-central-1.amazonaws.com) cannot be reached (ECONNREFUSED)';
const CLOCK_BEHIND_WORDS =
  "this machine's clock is 86400.0 s behind 2026-06-02T12:00:00.000Z, which the store had reached (clock.json); no payload is stored until the clock is set right, or, if it is right, accepted by payload-store accept-clock";
const CLOCK_WORDS =
  "this machine's clock is 312.4 s ahead of the storage's; payloads are neither stored nor deleted until it is set right";
const FOREIGN_WORDS =
  'the storage belongs to the store billing/invoices, not to payments/orders; give each store a folder, bucket or prefix of its own';
const REPLACED_WORDS =
  "this is another storage than the store's: its store.json says payments/orders/2, and the store's payloads are in payments/orders/1; is the endpoint, or the mount, the right one?";
const IN_USE_WORDS =
  'the storage is in use by payments/orders of the cluster prod-eu (0b54cbd3-7a86-4f0c-9c1c-6c6bc9c7a8a3) since 2026-05-01T08:00:00.000Z; nothing is stored or deleted here: give each store a bucket, prefix or folder of its own, or, to share it on purpose, say storage.shared: true in both';
const WAITING_WORDS =
  'waits for the storage for at most 94 s: it was used by payments/orders of the cluster prod-eu (0b54cbd3-7a86-4f0c-9c1c-6c6bc9c7a8a3), which may be ending';
const REAPER_WAITS_WORDS =
  'waits until a gateway of the store takes the storage over: it was used by payments/orders of the cluster prod-eu (0b54cbd3-7a86-4f0c-9c1c-6c6bc9c7a8a3), which has ended';
const PREFIX_WORDS =
  'no store may be begun here: the prefix "expires-a/" has a segment that stores keep for themselves (blobs, expires-…, . or ..); give it another prefix';
const TAKEN_OVER = {
  from: 'payments/orders of the cluster prod-eu (0b54cbd3-7a86-4f0c-9c1c-6c6bc9c7a8a3)',
  time: NOW - 30 * MINUTE,
};
const IN_A_WINDOW = { ...ON_S3, storage: { s3: { bucket: 'payloads', prefix: 'expires-a/' } } };
const GONE_WORDS = 'store.json has gone from the storage; is the right one mounted?';

export const STORAGE_CASES: readonly Case[] = [
  {
    when: 'the bucket does not exist',
    situation: notReadyAtAll(complaint('storage_unavailable', BUCKET_WORDS)),
    expected: failing('BucketMissing'),
  },
  {
    when: 'the credentials are wrong',
    situation: notReadyAtAll(complaint('storage_denied', KEY_WORDS)),
    expected: failing('StorageDenied'),
  },
  {
    when: 'the Secret lacks a key',
    situation: notReadyAtAll(complaint('storage_denied', NO_KEY_WORDS)),
    expected: failing('SecretMissing'),
  },
  {
    when: 'the credentials lack a right',
    situation: notReadyAtAll(complaint('storage_denied', NO_RIGHT_WORDS)),
    expected: failing('StorageDenied'),
  },
  {
    when: 'the cloud identity lacks a right',
    situation: withReports(
      startingGateway({}, wellStore({ ...ON_S3, gateway: {} })),
      'gateway',
      complaint(
        'storage_denied',
        'cannot write store.json: access denied for s3:PutObject on the bucket payloads (AccessDenied); allow it in the policy of these credentials',
      ),
    ),
    expected: { ...WELL, Ready: 'False StorageDenied', GatewayAvailable: 'False StorageDenied' },
  },
  {
    when: 'STS does not give the role to the cloud identity',
    situation: withReports(
      startingGateway({}, wellStore({ ...ON_S3, gateway: {} })),
      'gateway',
      complaint('storage_denied', NO_ROLE_WORDS),
    ),
    expected: { ...WELL, Ready: 'False StorageDenied', GatewayAvailable: 'False StorageDenied' },
  },
  {
    when: 'STS cannot be reached',
    situation: notReadyAtAll(complaint('storage_unavailable', STS_AWAY_WORDS)),
    expected: failing('StorageUnavailable'),
  },
  {
    when: 'another store owns the bucket',
    situation: notReadyAtAll(complaint('storage_unavailable', FOREIGN_WORDS)),
    expected: {
      Ready: 'False StorageOwnedByAnotherStore',
      GatewayAvailable: 'False StorageOwnedByAnotherStore',
      ReaperHealthy: 'False StorageOwnedByAnotherStore',
      RetentionSafe: 'False StorageOwnedByAnotherStore',
    },
  },
  {
    when: 'a store of another cluster uses the bucket',
    situation: notReadyAtAll(complaint('storage_unavailable', IN_USE_WORDS)),
    expected: {
      Ready: 'False StorageInUse',
      GatewayAvailable: 'False StorageInUse',
      ReaperHealthy: 'False StorageInUse',
      RetentionSafe: 'False StorageInUse',
    },
  },
  {
    when: 'a store of another cluster has taken the bucket of a running one over',
    situation: allReports(claimed, complaint('storage_unavailable', IN_USE_WORDS, { reaper: REAPED })),
    expected: {
      ...WELL,
      Ready: 'False StorageInUse',
      ReaperHealthy: 'False StorageInUse',
      RetentionSafe: 'False StorageInUse',
    },
  },
  {
    when: 'the pods of an earlier resource of the name are ending',
    situation: withReports(
      notReadyAtAll(complaint('storage_unavailable', WAITING_WORDS)),
      'reaper',
      complaint('storage_unavailable', REAPER_WAITS_WORDS),
    ),
    expected: failing('Starting'),
  },
  {
    when: 'the lease of another cluster was over',
    situation: allReports(well, answer({ takenOver: TAKEN_OVER, reaper: REAPED })),
    expected: { ...WELL, RetentionSafe: 'True StorageTakenOver' },
  },
  {
    when: 'the lease of another cluster was over, long ago',
    situation: allReports(
      well,
      answer({ takenOver: { ...TAKEN_OVER, time: NOW - 2 * HOUR }, reaper: REAPED }),
    ),
    expected: WELL,
  },
  {
    when: 'the lease of another cluster was over, and nothing is ever removed',
    situation: withReports(wellStore(FOREVER), 'gateway', answer({ takenOver: TAKEN_OVER })),
    expected: { ...WELL, ReaperHealthy: 'True NotNeeded', RetentionSafe: 'True StorageTakenOver' },
  },
  {
    when: 'a store of 0.1 has a prefix that is not allowed any more',
    situation: wellStore(IN_A_WINDOW),
    expected: {
      ...WELL,
      ReaperHealthy: 'False PrefixNotAllowed',
      RetentionSafe: 'False PrefixNotAllowed',
    },
  },
  {
    when: 'a new store has such a prefix',
    situation: withReports(
      startingGateway({}, wellStore(IN_A_WINDOW)),
      'gateway',
      complaint('storage_unavailable', PREFIX_WORDS),
    ),
    expected: {
      Ready: 'False PrefixNotAllowed',
      GatewayAvailable: 'False PrefixNotAllowed',
      ReaperHealthy: 'False PrefixNotAllowed',
      RetentionSafe: 'False PrefixNotAllowed',
    },
  },
  {
    when: 'somebody emptied the bucket of a running store',
    situation: allReports(claimed, complaint('storage_unavailable', GONE_WORDS)),
    expected: {
      ...WELL,
      Ready: 'False IdentityMissing',
      ReaperHealthy: 'False IdentityMissing',
      RetentionSafe: 'False IdentityMissing',
    },
  },
  {
    when: "the endpoint was edited to another cluster's store of the same name",
    situation: allReports(claimed, complaint('storage_unavailable', REPLACED_WORDS)),
    expected: {
      ...WELL,
      Ready: 'False StorageReplaced',
      ReaperHealthy: 'False StorageReplaced',
      RetentionSafe: 'False StorageReplaced',
    },
  },
  {
    when: "the clock of the reaper's node is wrong",
    situation: withReports(well, 'reaper', complaint('clock_difference', CLOCK_WORDS, { reaper: REAPED })),
    expected: { ...WELL, ReaperHealthy: 'False ClockDifference', RetentionSafe: 'False ClockDifference' },
  },
  {
    when: "the clock of a gateway's node is behind the time that the store had reached",
    situation: withReports(well, 'gateway', complaint('clock_difference', CLOCK_BEHIND_WORDS)),
    expected: { ...WELL, Ready: 'False ClockDifference' },
  },
  {
    when: "the clock of a gateway's node is wrong",
    situation: withReports(well, 'gateway', complaint('clock_difference', CLOCK_WORDS)),
    expected: { ...WELL, Ready: 'False ClockDifference' },
  },
  {
    when: 'the storage fails a running store',
    situation: remembering(
      allReports(
        well,
        complaint(
          'storage_unavailable',
          'cannot read store.json: the storage cannot be reached (connect ECONNREFUSED 10.0.0.9:9000); check the endpoint, and that it runs',
        ),
      ),
      { conditions: [] },
    ),
    expected: {
      ...WELL,
      Ready: 'False StorageUnavailable',
      ReaperHealthy: 'False StorageUnavailable',
      RetentionSafe: 'Unknown NoReport',
    },
  },
  {
    when: 'the storage is full',
    situation: withReports(well, 'gateway', complaint('storage_full', 'no space left: quota of 1 TiB')),
    expected: { ...WELL, Ready: 'False StorageFull' },
  },
  {
    when: 'a NetworkPolicy keeps the operator from gateways that are ready',
    situation: withReports(well, 'gateway', { unreachable: 'it did not answer within 5 s' }),
    expected: { ...WELL, Ready: 'Unknown PodUnreachable' },
  },
  {
    when: 'a NetworkPolicy keeps the operator from gateways that have just become ready',
    situation: withReports(withPods(well, 'gateway', { runningSince: NOW - 30_000 }), 'gateway', {
      unreachable: 'it did not answer within 5 s',
    }),
    expected: WELL,
  },
  {
    when: 'one of two gateways that are ready cannot be reached',
    situation: but(well, {
      reports: new Map(well.observed.reports).set('uid of orders-gateway-1', {
        unreachable: 'it did not answer within 5 s',
      }),
    }),
    expected: WELL,
  },
  {
    when: 'one gateway cannot be reached, and the other complains',
    situation: but(well, {
      reports: new Map(well.observed.reports)
        .set('uid of orders-gateway-1', { unreachable: 'it did not answer within 5 s' })
        .set('uid of orders-gateway-2', complaint('storage_denied', NO_RIGHT_WORDS)),
    }),
    expected: { ...WELL, Ready: 'False StorageDenied' },
  },
];
