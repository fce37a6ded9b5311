import { expect, test } from 'vitest';
import { identityOf } from './caller-identity.ts';
import { CLUSTER, clusterIssuer, memoryIssuer, podClaims } from './tokens/verifier.fixture.ts';

const cluster = clusterIssuer(memoryIssuer());
const ofCluster = (claims: Record<string, unknown>) =>
  identityOf({ issuer: cluster, claims: podClaims(claims) });
const bound = podClaims()['kubernetes.io'] as object;

test('a pod is known by its service account, and its share is counted by its UID', () => {
  expect(ofCluster({})).toEqual({
    kind: 'kubernetes',
    name: 'the service account payments/worker',
    peer: 'pod uid-of-a-pod-of-payments-worker',
    namespace: 'payments',
    serviceAccount: 'payments/worker',
  });
});

test('a token without a pod is counted by its service account', () => {
  expect(ofCluster({ 'kubernetes.io': { ...bound, pod: undefined } }).peer).toBe(
    'system:serviceaccount:payments:worker',
  );
});

test.each<[what: string, claims: Record<string, unknown>, fault: RegExp]>([
  ['without the claims of Kubernetes', { 'kubernetes.io': undefined }, /kubernetes.io.namespace is missing/],
  ['with a text for them', { 'kubernetes.io': 'payments' }, /kubernetes.io.namespace is missing/],
  ['with null for them', { 'kubernetes.io': null }, /kubernetes.io.namespace is missing/],
  ['without a namespace', { 'kubernetes.io': { ...bound, namespace: undefined } }, /namespace is missing/],
  [
    'with namespaces in a list',
    { 'kubernetes.io': { ...bound, namespace: ['payments'] } },
    /namespace is missing/,
  ],
  [
    'without a service account',
    { 'kubernetes.io': { namespace: 'payments' } },
    /serviceaccount.name is missing/,
  ],
  [
    'with an empty service account',
    { 'kubernetes.io': { ...bound, serviceaccount: { name: '' } } },
    /serviceaccount.name is missing/,
  ],
  [
    'with another subject',
    { sub: 'system:serviceaccount:payments:admin' },
    /sub and kubernetes.io do not agree/,
  ],
  [
    'with a subject that two readings agree with',
    { sub: 'system:serviceaccount:payments:x:worker' },
    /do not agree/,
  ],
  ['of a user', { sub: 'kubernetes-admin' }, /do not agree/],
  ['without a subject', { sub: undefined }, /do not agree/],
])('a token of a cluster %s says nothing of its caller', (_what, claims, fault) => {
  expect(() => ofCluster(claims)).toThrow(fault);
});

test('a caller outside the cluster is known by issuer and subject', () => {
  const ci = { ...cluster, kind: 'oidc' as const };
  const claims = { iss: 'https://ci.example', sub: 'repo:acme/orders', aud: 'payloads' };
  expect(identityOf({ issuer: ci, claims })).toMatchObject({
    ...{ kind: 'oidc', name: 'repo:acme/orders of https://ci.example', issuer: 'https://ci.example' },
  });
  // One of another issuer with the same subject is another caller.
  expect(identityOf({ issuer: ci, claims: { ...claims, iss: CLUSTER } }).peer).not.toBe(
    identityOf({ issuer: ci, claims }).peer,
  );
  for (const sub of [undefined, '', 5, ['a'], 'x'.repeat(2_000)])
    expect(() => identityOf({ issuer: ci, claims: { ...claims, sub } })).toThrow('claim sub is missing');
});
