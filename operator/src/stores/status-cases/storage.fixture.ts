import {
  but,
  errorReport,
  HOUR,
  MINUTE,
  NOW,
  REAPED,
  STORAGE_ID,
  statusReport,
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
  unavailable,
  WELL,
  well,
} from './case.fixture.ts';
import {
  CLOCK_AHEAD,
  CLOCK_BEHIND,
  FOREIGN,
  GONE,
  HOLDER,
  IN_USE,
  NO_BUCKET,
  NO_KEY,
  NO_RIGHT,
  NO_RIGHT_TO_PUT,
  NO_ROLE,
  PREFIX,
  REAPER_WAITS,
  REPLACED,
  STS_AWAY,
  WAITS,
  WRONG_KEY,
} from './reported-errors.fixture.ts';

const claimed = but(well, { store: store(ON_S3, {}, { storageID: STORAGE_ID }) });
const TAKEN_OVER = {
  from: HOLDER,
  time: NOW - 30 * MINUTE,
};
const IN_A_WINDOW = { ...ON_S3, storage: { s3: { bucket: 'payloads', prefix: 'expires-a/' } } };

export const STORAGE_CASES: readonly Case[] = [
  {
    when: 'the bucket does not exist',
    situation: notReadyAtAll(errorReport(NO_BUCKET)),
    expected: failing('BucketMissing'),
  },
  {
    when: 'the credentials are wrong',
    situation: notReadyAtAll(errorReport(WRONG_KEY)),
    expected: failing('StorageDenied'),
  },
  {
    when: 'the Secret lacks a key',
    situation: notReadyAtAll(errorReport(NO_KEY)),
    expected: failing('SecretMissing'),
  },
  {
    when: 'the credentials lack a right',
    situation: notReadyAtAll(errorReport(NO_RIGHT)),
    expected: failing('StorageDenied'),
  },
  {
    when: 'the cloud identity lacks a right',
    situation: withReports(
      startingGateway({}, wellStore({ ...ON_S3, gateway: {} })),
      'gateway',
      errorReport(NO_RIGHT_TO_PUT),
    ),
    expected: { ...WELL, Ready: 'False StorageDenied', GatewayAvailable: 'False StorageDenied' },
  },
  {
    when: 'STS does not give the role to the cloud identity',
    situation: withReports(
      startingGateway({}, wellStore({ ...ON_S3, gateway: {} })),
      'gateway',
      errorReport(NO_ROLE),
    ),
    expected: { ...WELL, Ready: 'False StorageDenied', GatewayAvailable: 'False StorageDenied' },
  },
  {
    when: 'STS cannot be reached',
    situation: notReadyAtAll(errorReport(STS_AWAY)),
    expected: failing('StorageUnavailable'),
  },
  {
    when: 'another store owns the bucket',
    situation: notReadyAtAll(errorReport(FOREIGN)),
    expected: {
      Ready: 'False StorageOwnedByAnotherStore',
      GatewayAvailable: 'False StorageOwnedByAnotherStore',
      ReaperHealthy: 'False StorageOwnedByAnotherStore',
      RetentionSafe: 'False StorageOwnedByAnotherStore',
    },
  },
  {
    when: 'a store of another cluster uses the bucket',
    situation: notReadyAtAll(errorReport(IN_USE)),
    expected: {
      Ready: 'False StorageInUse',
      GatewayAvailable: 'False StorageInUse',
      ReaperHealthy: 'False StorageInUse',
      RetentionSafe: 'False StorageInUse',
    },
  },
  {
    when: 'a store of another cluster has taken the bucket of a running one over',
    situation: allReports(claimed, errorReport(IN_USE, { reaper: REAPED })),
    expected: {
      ...WELL,
      Ready: 'False StorageInUse',
      ReaperHealthy: 'False StorageInUse',
      RetentionSafe: 'False StorageInUse',
    },
  },
  {
    when: 'the pods of an earlier resource of the name are ending',
    situation: withReports(notReadyAtAll(errorReport(WAITS)), 'reaper', errorReport(REAPER_WAITS)),
    expected: failing('Starting'),
  },
  {
    when: 'the lease of another cluster was over',
    situation: allReports(well, statusReport({ takenOver: TAKEN_OVER, reaper: REAPED })),
    expected: { ...WELL, RetentionSafe: 'True StorageTakenOver' },
  },
  {
    when: 'the lease of another cluster was over, long ago',
    situation: allReports(
      well,
      statusReport({ takenOver: { ...TAKEN_OVER, time: NOW - 2 * HOUR }, reaper: REAPED }),
    ),
    expected: WELL,
  },
  {
    when: 'the lease of another cluster was over, and nothing is ever removed',
    situation: withReports(wellStore(FOREVER), 'gateway', statusReport({ takenOver: TAKEN_OVER })),
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
    situation: withReports(startingGateway({}, wellStore(IN_A_WINDOW)), 'gateway', errorReport(PREFIX)),
    expected: {
      Ready: 'False PrefixNotAllowed',
      GatewayAvailable: 'False PrefixNotAllowed',
      ReaperHealthy: 'False PrefixNotAllowed',
      RetentionSafe: 'False PrefixNotAllowed',
    },
  },
  {
    when: 'somebody emptied the bucket of a running store',
    situation: allReports(claimed, errorReport(GONE)),
    expected: {
      ...WELL,
      Ready: 'False IdentityMissing',
      ReaperHealthy: 'False IdentityMissing',
      RetentionSafe: 'False IdentityMissing',
    },
  },
  {
    when: "the endpoint was edited to another cluster's store of the same name",
    situation: allReports(claimed, errorReport(REPLACED)),
    expected: {
      ...WELL,
      Ready: 'False StorageReplaced',
      ReaperHealthy: 'False StorageReplaced',
      RetentionSafe: 'False StorageReplaced',
    },
  },
  {
    when: "the clock of the reaper's node is wrong",
    situation: withReports(well, 'reaper', errorReport(CLOCK_AHEAD, { reaper: REAPED })),
    expected: { ...WELL, ReaperHealthy: 'False ClockDifference', RetentionSafe: 'False ClockDifference' },
  },
  {
    when: "the clock of a gateway's node is behind the time that the store had reached",
    situation: withReports(well, 'gateway', errorReport(CLOCK_BEHIND)),
    expected: { ...WELL, Ready: 'False ClockDifference' },
  },
  {
    when: "the clock of a gateway's node is wrong",
    situation: withReports(well, 'gateway', errorReport(CLOCK_AHEAD)),
    expected: { ...WELL, Ready: 'False ClockDifference' },
  },
  {
    when: 'the storage fails a running store',
    situation: remembering(
      allReports(
        well,
        errorReport(
          unavailable(
            'cannot read store.json: the storage cannot be reached (connect ECONNREFUSED 10.0.0.9:9000); check the endpoint, and that it runs',
          ),
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
    situation: withReports(
      well,
      'gateway',
      errorReport({ code: 'storage_full', message: 'no space left: quota of 1 TiB' }),
    ),
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
        .set('uid of orders-gateway-2', errorReport(NO_RIGHT)),
    }),
    expected: { ...WELL, Ready: 'False StorageDenied' },
  },
];
