import { expect, test } from 'vitest';
import type { Identity } from './caller-identity.ts';
import { denialOf, rightsOf, type StorePolicy } from './caller-rules.ts';

const CI = 'https://ci.example';
const pod = (serviceAccount: string): Identity => ({
  kind: 'kubernetes',
  name: `the service account ${serviceAccount}`,
  peer: 'pod',
  namespace: serviceAccount.split('/')[0] ?? '',
  serviceAccount,
});
const job = (claims: Record<string, unknown>, issuer = CI): Identity => ({
  ...{ kind: 'oidc', name: `ci of ${issuer}`, peer: 'job', issuer, claims },
});
const policy = (spec: Partial<StorePolicy['spec']> = {}): StorePolicy => ({
  ...{ namespace: 'payments', name: 'documents' },
  spec: {
    gateway: { oidc: [{ issuer: CI, audience: 'payloads', requiredClaims: { owner: 'acme' } }] },
    ...spec,
  },
});
const denial = (identity: Identity, spec?: Partial<StorePolicy['spec']>) => denialOf(identity, policy(spec));

test('without entries, pods of the own namespace and of allowed ones may do everything', () => {
  const allowedNamespaces = ['starters'];
  for (const account of ['payments/worker', 'payments/default', 'starters/web']) {
    expect(denial(pod(account), { allowedNamespaces })).toBeUndefined();
    expect(rightsOf(pod(account), policy({ allowedNamespaces }))).toEqual({
      read: undefined,
      write: undefined,
    });
  }
  expect(denial(pod('starters/web'))).toBe(
    'the service account starters/web may not use the store payments/documents; add the namespace starters to spec.allowedNamespaces of it, if it should',
  );
  for (const other of ['payment/worker', 'payments2/worker', 'Payments/worker', 'default/payments'])
    expect(denial(pod(other), { allowedNamespaces })).toContain('spec.allowedNamespaces');
});

test('callers outside the cluster need the claims that their issuer is admitted with, as texts', () => {
  expect(denial(job({ owner: 'acme' }))).toBeUndefined();
  for (const claims of [
    {},
    { owner: 'other' },
    { owner: ['acme'] },
    { owner: { acme: true } },
    { Owner: 'acme' },
  ])
    expect(denial(job(claims))).toContain('another owner than spec.gateway.oidc requires');
  const requiredClaims = { constructor: 'acme', owner: 'acme' };
  const gateway = { oidc: [{ issuer: CI, audience: 'payloads', requiredClaims }] };
  expect(denial(job({ owner: 'acme' }), { gateway })).toContain('another constructor');
});

const entry = (fields: object) => ({ access: 'ReadWrite' as const, ...fields });

test('entries narrow, and never widen', () => {
  const allowedNamespaces = ['starters'];
  const spec = {
    allowedNamespaces,
    callers: [
      entry({ namespaces: ['starters', 'foreign'] }),
      entry({ serviceAccounts: ['payments/worker', 'foreign/worker'] }),
    ],
  };
  expect(denial(pod('starters/web'), spec)).toBeUndefined();
  expect(denial(pod('payments/worker'), spec)).toBeUndefined();
  expect(denial(pod('payments/worker2'), spec)).toBe(
    'no entry of spec.callers admits the service account payments/worker2; add one, if it should use the store payments/documents',
  );
  // An entry of a namespace that is not allowed admits no pod.
  for (const account of ['foreign/worker', 'foreign/web'])
    expect(denial(pod(account), spec)).toContain('spec.allowedNamespaces');
  expect(denial(job({ owner: 'acme' }), spec)).toContain('no entry of spec.callers admits ci of');
});

test('an entry for an issuer admits callers with its claims only', () => {
  const callers = [entry({ oidc: { issuer: CI, claims: { repository: 'acme/orders' } } })];
  expect(denial(job({ owner: 'acme', repository: 'acme/orders' }), { callers })).toBeUndefined();
  expect(denial(job({ owner: 'acme', repository: 'acme/orders2' }), { callers })).toContain('no entry');
  expect(denial(job({ repository: 'acme/orders' }), { callers })).toContain('another owner');
  expect(
    denial(job({ owner: 'acme', repository: 'acme/orders' }, 'https://ci.example/'), { callers }),
  ).toContain('no entry');
  expect(denial(pod('payments/worker'), { callers })).toContain('no entry');
  const any = [entry({ oidc: { issuer: CI } })];
  expect(denial(job({ owner: 'acme' }), { callers: any })).toBeUndefined();
});

const served = (...namespaces: string[]) => new Set(namespaces);

test.each<[what: string, callers: object[], expected: object]>([
  ['one entry', [{}], { read: undefined, write: undefined }],
  ['an entry that reads', [{ access: 'Read' }], { read: undefined, write: served() }],
  [
    'an entry with Temporal namespaces',
    [{ temporalNamespaces: ['a', 'b'] }],
    { read: served('a', 'b'), write: served('a', 'b') },
  ],
  [
    'entries with different Temporal namespaces',
    [{ temporalNamespaces: ['a'] }, { temporalNamespaces: ['b'], access: 'Read' }],
    { read: served('a', 'b'), write: served('a') },
  ],
  [
    'an entry that writes some, and one that reads all',
    [{ temporalNamespaces: ['a'] }, { access: 'Read' }],
    { read: undefined, write: served('a') },
  ],
  [
    'an entry that writes all, and one that reads some',
    [{ temporalNamespaces: ['a'], access: 'Read' }, {}],
    { read: undefined, write: undefined },
  ],
])('a caller has the rights of all its entries: %s', (_what, entries, expected) => {
  const others = [entry({ namespaces: ['other'] }), entry({ serviceAccounts: ['payments/other'] })];
  const callers = [...others, ...entries.map((fields) => entry({ namespaces: ['payments'], ...fields }))];
  expect(rightsOf(pod('payments/worker'), policy({ callers }))).toEqual(expected);
});
