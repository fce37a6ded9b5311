import { AwaitedDriver } from '@largepayload/sidecar/drivers/awaited-driver';
import { MemoryDriver } from '@largepayload/sidecar/drivers/memory';
import { CredentialsError } from '@largepayload/sidecar/drivers/s3/credentials-source';
import { storageErrorOf } from '@largepayload/sidecar/drivers/s3/failures';
import { ForeignStoreError } from '@largepayload/sidecar/errors/foreign-store-error';
import { StorageError } from '@largepayload/sidecar/errors/storage-error';
import { toServiceError } from '@largepayload/sidecar/errors/to-service-error';
import { ClockBehindError } from '@largepayload/sidecar/storage-records/clock/clock-guard';
import {
  assertClaimed,
  assertIdentity,
  assertSameStorage,
} from '@largepayload/sidecar/storage-records/identity/identity';
import { putSmallObject } from '@largepayload/sidecar/storage-records/small-object';
import { expect, test } from 'vitest';
import { podOf } from '../situation.fixture.ts';
import { store } from '../stores.fixture.ts';
import { complaintFinding } from './report-problems.ts';

const IDENTITY = { namespace: 'payments', name: 'orders' };
const ATTEMPT = { doing: 'list folders', action: 's3:ListBucket', place: 'the bucket payloads' } as const;
const fault = (code: string, status?: number) =>
  storageErrorOf({ code, status, message: '', region: undefined } as never, ATTEMPT);
const { signal } = new AbortController();
const failure = async (work: Promise<unknown>): Promise<unknown> => {
  try {
    await work;
  } catch (error) {
    return error;
  }
  throw new Error('it should have failed');
};

const unreadable = async () => {
  const driver = new MemoryDriver(1_024);
  await putSmallObject(driver, 'store.json', '<Error>billing/invoices</Error>', { signal });
  return await assertIdentity(driver, IDENTITY, signal);
};
const replaced = async () => assertSameStorage('payments/orders/2', 'payments/orders/1');

/** Reasons are told by the service's words: here they come from the service itself. */
test.each<[string, () => unknown]>([
  [
    'StorageOwnedByAnotherStore',
    () => new ForeignStoreError(`${IDENTITY.namespace}/${IDENTITY.name}`, 'billing/invoices'),
  ],
  ['BucketMissing', () => fault('NoSuchBucket', 404)],
  ['StorageDenied', () => fault('InvalidAccessKeyId', 403)],
  ['StorageDenied', () => fault('AccessDenied', 403)],
  ['ClockDifference', () => fault('RequestTimeTooSkewed', 403)],
  ['ClockDifference', () => new ClockBehindError(86_400_000, Date.UTC(2026, 5, 2))],
  ['StorageFull', () => new StorageError('full', 'no space left')],
  ['StorageUnavailable', () => fault('ECONNREFUSED')],
  ['StorageUnavailable', () => fault('BadAnswer')],
  ['StorageUnavailable', () => fault('BadListing')],
  ['StorageUnavailable', () => failure(unreadable())],
  ['IdentityMissing', () => failure(assertIdentity(new MemoryDriver(1_024), IDENTITY, signal))],
  ['StorageReplaced', () => failure(replaced())],
  ['Starting', () => failure(assertClaimed(new MemoryDriver(1_024), IDENTITY, signal))],
  ['Starting', () => failure(new AwaitedDriver('s3').open('store.json', signal))],
])('%s is what the service means', async (reason, make) => {
  const { code, message: words } = toServiceError(await make());
  const pod = podOf(undefined, 'gateway', { name: 'orders-gateway-1' });
  expect(complaintFinding({ store: store(), pod, component: 'gateway', code, words })?.reason).toBe(reason);
});

test("what a credentials' source refuses leads to the role, not to the bucket's policy", () => {
  const source = { kind: 'sts', name: 'STS (sts.amazonaws.com)', gaveBefore: false } as const;
  const error = new CredentialsError(source, { status: 403, code: 'AccessDenied', message: 'no' });
  const { code, message: words } = toServiceError(storageErrorOf(error.fault, ATTEMPT));
  const pod = podOf(undefined, 'gateway', { name: 'orders-gateway-1' });
  const finding = complaintFinding({ store: store(), pod, component: 'gateway', code, words });
  expect(finding).toMatchObject({
    reason: 'StorageDenied',
    message: expect.stringMatching(/the gateway gets no credentials: .*STS.*role of ServiceAccount/),
  });
  expect(finding?.message).not.toMatch(/Secret|give that the rights/);
});

test('a pod that is ending has nothing to complain about', () => {
  const pod = podOf(undefined, 'gateway', { name: 'orders-gateway-1' });
  const complaint = { store: store(), pod, component: 'gateway', code: 'draining', words: 'ending' } as const;
  expect(complaintFinding(complaint)).toBeUndefined();
});
