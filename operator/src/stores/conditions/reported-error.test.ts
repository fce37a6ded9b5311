import { expect, test } from 'vitest';
import { ClockBehindError } from '../../../../sidecar/src/blob-store/clock-guard.ts';
import {
  assertClaimed,
  assertIdentity,
  assertSameStorage,
  ForeignStoreError,
} from '../../../../sidecar/src/blob-store/identity.ts';
import { putSmallObject } from '../../../../sidecar/src/blob-store/small-object.ts';
import { AwaitedDriver } from '../../../../sidecar/src/drivers/awaited-driver.ts';
import { StorageError } from '../../../../sidecar/src/drivers/driver.ts';
import { MemoryDriver } from '../../../../sidecar/src/drivers/memory.ts';
import { CredentialsError } from '../../../../sidecar/src/drivers/s3/credentials-source.ts';
import { storageErrorOf } from '../../../../sidecar/src/drivers/s3/failures.ts';
import { toServiceError } from '../../../../sidecar/src/errors.ts';
import { podOf } from '../situation.fixture.ts';
import { store } from '../stores.fixture.ts';
import { reportedFinding } from './reported-error.ts';

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
  ['StorageOwnedByAnotherStore', () => new ForeignStoreError(IDENTITY, 'billing/invoices')],
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
  expect(reportedFinding({ store: store(), pod, component: 'gateway', code, words })?.reason).toBe(reason);
});

test("what a credentials' source refuses leads to the role, not to the bucket's policy", () => {
  const source = { kind: 'sts', name: 'STS (sts.amazonaws.com)', gaveBefore: false } as const;
  const error = new CredentialsError(source, { status: 403, code: 'AccessDenied', message: 'no' });
  const { code, message: words } = toServiceError(storageErrorOf(error.fault, ATTEMPT));
  const pod = podOf(undefined, 'gateway', { name: 'orders-gateway-1' });
  const finding = reportedFinding({ store: store(), pod, component: 'gateway', code, words });
  expect(finding).toMatchObject({
    reason: 'StorageDenied',
    message: expect.stringMatching(/the gateway gets no credentials: .*STS.*role of ServiceAccount/),
  });
  expect(finding?.message).not.toMatch(/Secret|give that the rights/);
});

test('a pod that is ending has nothing to complain about', () => {
  const pod = podOf(undefined, 'gateway', { name: 'orders-gateway-1' });
  const complaint = { store: store(), pod, component: 'gateway', code: 'draining', words: 'ending' } as const;
  expect(reportedFinding(complaint)).toBeUndefined();
});
