import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { REASONS, type Reason, readStatusReport } from '@largepayload/crds';
import { MemoryDriver } from '@largepayload/testing/drivers/memory-driver';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { KeySet } from '../callers/keys/key-set.ts';
import { AwaitedDriver } from '../drivers/awaited-driver.ts';
import { never } from '../drivers/conformance/subject.ts';
import { storageErrorOf } from '../drivers/object-store/failures.ts';
import { credentialsFromFolder } from '../drivers/s3/credentials/credentials-folder.ts';
import { CredentialsError } from '../drivers/s3/credentials/credentials-source.ts';
import { S3_FAILURES } from '../drivers/s3/failures.ts';
import { StorageError } from '../errors/storage-error.ts';
import { CertificateFolder } from '../http/tls/certificate-folder.ts';
import { createLog } from '../log/log.ts';
import { assertCertificate } from '../roles/data-port-tls.ts';
import { clockGuardOf } from '../storage-records/clock/clock.fixture.ts';
import { ClockGuard } from '../storage-records/clock/clock-guard.ts';
import { ClockMemory } from '../storage-records/clock/clock-memory.ts';
import { clockRules } from '../storage-records/clock/clock-plausibility.ts';
import { assertIdentity, notYet, writeIdentity } from '../storage-records/identity/identity.ts';
import type { FoundLease, Lease } from '../storage-records/lease/lease.ts';
import { inUse } from '../storage-records/lease/lease-messages.ts';
import { beginStore } from '../storage-records/ownership/begin-store.ts';
import { OwnershipGuard } from '../storage-records/ownership/ownership-guard.ts';
import { putSmallObject } from '../storage-records/small-object.ts';
import { Readiness } from './readiness.ts';

const IDENTITY = { namespace: 'payments', name: 'orders' };
const FAULT = { status: undefined, message: '', region: undefined, retryAfter: undefined };
const ATTEMPT = { doing: 'list folders', right: 'list', place: 'the bucket payloads' } as const;
const faultOfS3 = (code: string, status?: number) =>
  storageErrorOf(S3_FAILURES, { ...FAULT, code, status }, ATTEMPT);

const errorOf = async (work: Promise<unknown>): Promise<unknown> => {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error('it should have failed');
};

const storage = () => new MemoryDriver(10_000);
const storageOf = async (name: string) => {
  const driver = storage();
  await writeIdentity(driver, { ...IDENTITY, name }, never());
  return driver;
};

const USER = { holder: 'uid-1', store: 'payments/orders', cluster: 'here', shared: false, mayWrite: true };
const LEASE: Lease = {
  ...{ holder: 'uid-2', store: 'payments/orders', cluster: 'there', since: 0, renewed: 0 },
  ...{ confirmed: true, released: false, shared: false },
};
const HOLDER = 'payments/orders of the cluster there (uid-2)';
const refused = (lease: Partial<Lease>, user = USER) =>
  inUse({ ...LEASE, ...lease }, { kind: 'refuse' }, user);
const waiting = (found: FoundLease, user = USER) => inUse(found, { kind: 'wait', milliseconds: 1_000 }, user);

const clockThatDiffersBy = (ms: number) => {
  const driver = storage();
  driver.currentTime = async () => Date.now() - ms;
  return errorOf(clockGuardOf(driver, 0).check());
};
const clockBehindMark = () => {
  const rules = clockRules({
    ttl: undefined,
    reaperInterval: 0,
    storageHasClock: false,
    clockToleranceMs: 0,
  });
  const memory = new ClockMemory(rules);
  memory.behindMark = () => 86_400_000;
  return errorOf(new ClockGuard(storage(), 0, memory).assertMayPlace());
};
const withoutFile = async () => {
  const folder = await mkdtemp(join(tmpdir(), 'credentials-'));
  try {
    const error = (await errorOf(credentialsFromFolder(folder)())) as CredentialsError;
    return storageErrorOf(S3_FAILURES, error.fault, ATTEMPT);
  } finally {
    await rm(folder, { recursive: true });
  }
};
const refusedBySts = () => {
  const source = { kind: 'sts', name: 'STS (sts.amazonaws.com)', gaveBefore: false } as const;
  const error = new CredentialsError(source, { status: 403, code: 'AccessDenied', message: 'no' });
  return storageErrorOf(S3_FAILURES, error.fault, ATTEMPT);
};

const SILENT = pino({ level: 'silent' });
const keysOf = (name: string) => {
  const load = () => Promise.reject(new Error('no'));
  return new KeySet({ name, issuer: name, load }, SILENT).load();
};

/** Errors of the code that meets the situation, and the reason that a reader of the status report sees. */
const SITUATIONS: readonly (readonly [situation: string, make: () => unknown, expected: Reason])[] = [
  [
    'the storage was not looked at yet',
    () => errorOf(new AwaitedDriver('s3').open('store.json', never())),
    { name: 'JustStarted' },
  ],
  [
    'a reaper finds no store.json',
    () => errorOf(assertIdentity(storage(), IDENTITY, never(), notYet)),
    { name: 'WaitsForGateway', record: 'store.json' },
  ],
  [
    'a reaper finds no lease.json',
    () => waiting('absent', { ...USER, mayWrite: false }),
    { name: 'WaitsForGateway', record: 'lease.json' },
  ],
  [
    'a reaper finds the lease of a resource that has ended',
    () => waiting({ ...LEASE, released: true }, { ...USER, mayWrite: false }),
    { name: 'WaitsForGateway', record: 'lease.json' },
  ],
  [
    'the resource before is ending',
    () => waiting(LEASE),
    { name: 'WaitsForStorage', holder: HOLDER, state: 'ending' },
  ],
  [
    'the resource before has ended',
    () => waiting({ ...LEASE, released: true }),
    { name: 'WaitsForStorage', holder: HOLDER, state: 'ended' },
  ],
  [
    'lease.json cannot be read',
    () => waiting('unreadable'),
    { name: 'WaitsForStorage', holder: 'unknown', state: 'unreadable' },
  ],
  [
    'store.json is of another store',
    async () => errorOf(assertIdentity(await storageOf('invoices'), IDENTITY, never())),
    { name: 'StorageOwnedByAnotherStore', owner: 'payments/invoices' },
  ],
  [
    'another resource uses the storage, and neither shares it',
    () => refused({}),
    { name: 'StorageInUse', holder: HOLDER, since: '1970-01-01T00:00:00.000Z', shareIn: 'both' },
  ],
  [
    'only the other resource shares the storage',
    () => refused({ shared: true }),
    { name: 'StorageInUse', holder: HOLDER, since: '1970-01-01T00:00:00.000Z', shareIn: 'here' },
  ],
  [
    'only this resource shares the storage',
    () => refused({}, { ...USER, shared: true }),
    { name: 'StorageInUse', holder: HOLDER, since: '1970-01-01T00:00:00.000Z', shareIn: 'there' },
  ],
  [
    'a new store has a reserved prefix',
    () => errorOf(beginStore(storage(), IDENTITY, createLog(), never(), {}, { noNewStore: 'no' })),
    { name: 'PrefixNotAllowed' },
  ],
  [
    'an old store has a reserved prefix, and something is to be deleted',
    () => errorOf(new OwnershipGuard(async () => 'a/b/c', 0, { neverDelete: 'no' }).assertMayDelete(never())),
    { name: 'PrefixNotAllowed' },
  ],
  [
    'store.json has gone',
    () => errorOf(assertIdentity(storage(), IDENTITY, never())),
    { name: 'IdentityMissing' },
  ],
  [
    'a store of the same name is in the storage',
    async () => {
      const ids = ['payments/orders/1', 'payments/orders/1'];
      const guard = new OwnershipGuard(async () => ids.pop() ?? 'payments/orders/2', 0);
      await guard.check();
      return errorOf(guard.check());
    },
    { name: 'StorageReplaced' },
  ],
  ['the bucket does not exist', () => faultOfS3('NoSuchBucket', 404), { name: 'BucketMissing' }],
  ['the clock is behind the time that the store had reached', clockBehindMark, { name: 'ClockBehind' }],
  [
    "the clock is ahead of the storage's",
    () => clockThatDiffersBy(60_000),
    { name: 'ClockDifference', direction: 'ahead' },
  ],
  [
    "the clock is behind the storage's",
    () => clockThatDiffersBy(-60_000),
    { name: 'ClockDifference', direction: 'behind' },
  ],
  [
    "the storage refuses a request by this machine's clock",
    () => faultOfS3('RequestTimeTooSkewed', 403),
    { name: 'ClockDifference', direction: 'unknown' },
  ],
  ['the Secret lacks a key', withoutFile, { name: 'CredentialsFileMissing', key: 'AWS_ACCESS_KEY_ID' }],
  [
    'STS does not give the role',
    refusedBySts,
    {
      name: 'CredentialsRefused',
      explanation:
        'STS (sts.amazonaws.com) does not give the role (AccessDenied: no); check that the role exists, and that its trust policy allows who asks',
    },
  ],
  [
    'the keys of an issuer were never loaded',
    () => errorOf(keysOf('https://ci.example')),
    { name: 'TokenKeysMissing', issuer: 'https://ci.example' },
  ],
  [
    'a gateway that is reached by TLS only has no certificate',
    () => {
      const certificate = new CertificateFolder('/no-such-folder', createLog());
      return errorOf(assertCertificate({ certificate, isRequired: true }));
    },
    { name: 'CertificateMissing' },
  ],
  ['the credentials lack a right', () => faultOfS3('AccessDenied', 403), { name: 'AccessDenied' }],
];

/** As a reader of `/status` gets it. */
async function reported(error: unknown) {
  const report = await new Readiness(() => Promise.reject(error)).report();
  return readStatusReport(JSON.parse(JSON.stringify({ store: IDENTITY, ...report })))?.error;
}

test.each(SITUATIONS)('when %s, the status report has the reason', async (_situation, make, expected) => {
  const error = (await make()) as Error;
  expect(await reported(error)).toMatchObject({ message: error.message, reason: expected });
});

test('there is a situation for each reason', () => {
  const names = new Set<string>(SITUATIONS.map(([, , { name }]) => name));
  expect([...names].toSorted()).toEqual(Object.keys(REASONS).toSorted());
});

const unreadable = async () => {
  const driver = storage();
  await putSmallObject(driver, 'store.json', '<Error>billing/invoices</Error>', { signal: never() });
  return errorOf(assertIdentity(driver, IDENTITY, never()));
};

test.each<[situation: string, make: () => unknown, code: string]>([
  ['the key is not accepted', () => faultOfS3('InvalidAccessKeyId', 403), 'storage_denied'],
  ['the storage is full', () => new StorageError('full', 'no space left'), 'storage_full'],
  ['the storage cannot be reached', () => faultOfS3('ECONNREFUSED'), 'storage_unavailable'],
  ['no S3 answers', () => faultOfS3('BadAnswer'), 'storage_unavailable'],
  ['a listing cannot be believed', () => faultOfS3('BadListing'), 'storage_unavailable'],
  ['store.json cannot be read', unreadable, 'storage_unavailable'],
])('when %s, the code says enough', async (_situation, make, code) => {
  expect(await reported(await make())).toMatchObject({ code, reason: undefined });
});
