import type { ReadFailure, Reason, ReasonName } from '@largepayload/crds';
import { expect, test } from 'vitest';
import { podOf } from '../situation.fixture.ts';
import { ON_S3, store } from '../stores.fixture.ts';
import type { Reason as ConditionReason } from './finding.ts';
import { findingOfError } from './reported-error.ts';

const pod = podOf(undefined, 'gateway', { name: 'orders-gateway-1' });
const findingOf = (error: ReadFailure, spec: object = ON_S3) =>
  findingOfError({ store: store({ ...spec }), pod, component: 'gateway', error });
const HOLDER = 'payments/orders of the cluster prod-eu (uid)';
const SINCE = '2026-05-01T08:00:00.000Z';

/** By reason of the service: its parameters, and the reason of the condition. */
const EXPECTED: { readonly [Name in ReasonName]: [Omit<Reason<Name>, 'name'>, ConditionReason] } = {
  JustStarted: [{}, 'Starting'],
  WaitsForGateway: [{ record: 'lease.json' }, 'Starting'],
  WaitsForStorage: [{ holder: HOLDER, state: 'ended' }, 'Starting'],
  StorageOwnedByAnotherStore: [{ owner: 'billing/invoices' }, 'StorageOwnedByAnotherStore'],
  StorageInUse: [{ holder: HOLDER, since: SINCE, shareIn: 'there' }, 'StorageInUse'],
  PrefixNotAllowed: [{}, 'PrefixNotAllowed'],
  IdentityMissing: [{}, 'IdentityMissing'],
  StorageReplaced: [{}, 'StorageReplaced'],
  BucketMissing: [{}, 'BucketMissing'],
  ClockBehind: [{}, 'ClockDifference'],
  ClockDifference: [{ direction: 'behind' }, 'ClockDifference'],
  CredentialsFileMissing: [{ key: 'AWS_ACCESS_KEY_ID' }, 'SecretMissing'],
  CredentialsRefused: [{ explanation: 'STS does not give the role' }, 'StorageDenied'],
  AccessDenied: [{}, 'StorageDenied'],
  CertificateMissing: [{}, 'CertificateMissing'],
  TokenKeysMissing: [{ issuer: 'https://kubernetes.default.svc.cluster.local' }, 'TokenKeysMissing'],
};

test.each(Object.entries(EXPECTED))('the reason %s has a finding', (name, [parameters, reason]) => {
  const error = { code: 'storage_unavailable', message: 'm', reason: { name, ...parameters } as Reason };
  const finding = findingOf(error);
  expect(finding?.reason).toBe(reason);
  expect(finding?.message).not.toMatch(/undefined|\[object/);
});

test.each([
  ['clock_difference', 'ClockDifference'],
  ['storage_denied', 'StorageDenied'],
  ['storage_full', 'StorageFull'],
  ['storage_unavailable', 'StorageUnavailable'],
  ['storage_timeout', 'StorageUnavailable'],
  ['a_code_of_a_newer_version', 'StorageUnavailable'],
  ['constructor', 'StorageUnavailable'],
])('an error with the code %s and without a reason has the finding %s', (code, reason) => {
  const finding = findingOf({ code, message: 'm' });
  expect(finding?.reason).toBe(reason);
});

test('a pod that is ending has no finding', () => {
  expect(findingOf({ code: 'draining', message: 'this process is ending' })).toBeUndefined();
});

test("a refusal of a credentials' source leads to the role, and not to the bucket's policy", () => {
  const reason = {
    name: 'CredentialsRefused',
    explanation: 'STS (sts.amazonaws.com) does not give the role',
  } as const;
  const finding = findingOf({ code: 'storage_denied', message: 'cannot list folders', reason });
  expect(finding).toMatchObject({
    reason: 'StorageDenied',
    message: expect.stringMatching(/the gateway gets no credentials: .*STS.*role of ServiceAccount/),
  });
  expect(finding?.message).not.toMatch(/Secret|give that the rights/);
});

test.each([
  ['a missing file with credentials', { name: 'CredentialsFileMissing', key: 'AWS_ACCESS_KEY_ID' }],
  ['a missing right', { name: 'AccessDenied' }],
] as const)('without a Secret in the spec, %s leads to the cloud identity', (_what, reason) => {
  const finding = findingOf({ code: 'storage_denied', message: 'm', reason }, { ...ON_S3, gateway: {} });
  expect(finding).toMatchObject({
    reason: 'StorageDenied',
    message: expect.stringContaining('cloud identity of ServiceAccount orders-gateway'),
  });
});

test.each([
  ['the cluster', 'https://kubernetes.default.svc.cluster.local', 'system:service-account-issuer-discovery'],
  ['spec.gateway.oidc', 'https://token.ci.example', 'check the issuer in spec.gateway.oidc'],
])('missing keys of an issuer of %s lead to what loads them', (_what, issuer, advice) => {
  const oidc = [
    {
      issuer: 'https://token.ci.example',
      audience: 'payloads',
      requiredClaims: { repository: 'acme/orders' },
    },
  ];
  const reason = { name: 'TokenKeysMissing', issuer } as const;
  const finding = findingOf(
    { code: 'token_keys_unavailable', message: 'ECONNREFUSED', reason },
    { ...ON_S3, gateway: { ...ON_S3.gateway, oidc } },
  );
  expect(finding).toMatchObject({ reason: 'TokenKeysMissing', message: expect.stringContaining(advice) });
  expect(finding?.message).toContain(issuer);
});
