import { manifest } from '../manifest.fixture.ts';
import { rejected, rule, type StoreCase } from './case.fixture.ts';

type Named = readonly [name: string, text: string];

const GITHUB = 'https://token.ci.example';
const requiredClaims = { repository_owner: 'acme' };
const github = { issuer: GITHUB, audience: 'payloads', requiredClaims };

const gateway = (fields: object) => manifest({ gateway: fields });
const callers = (...entries: object[]) => manifest({ callers: entries, gateway: { oidc: [github] } });
const caller = (entry: object): Named => [JSON.stringify(entry), callers(entry)];
const dnsName = (name: string): Named => [JSON.stringify(name), gateway({ dnsNames: [name] })];
const issuer = (url: string): Named => [JSON.stringify(url), gateway({ oidc: [{ ...github, issuer: url }] })];
const account = (name: string): Named => [JSON.stringify(name), callers({ serviceAccounts: [name] })];
const claims = (values: object): Named => [
  JSON.stringify(values),
  gateway({ oidc: [{ ...github, requiredClaims: values }] }),
];
const cached = (cacheSize: unknown): Named => [JSON.stringify(cacheSize), gateway({ cacheSize })];
const oidcCaller = (url: string) => ({ oidc: { issuer: url } });

/** Our message begins with the value; that of the API server does not. */
function texts(path: string, words: string, accepted: readonly Named[], refused: readonly Named[]) {
  const cases = rule(path, words, accepted, refused);
  return cases.map((each) => ({
    ...each,
    ...(each.answer && { answer: [`${path}: Invalid value: ${words}`] }),
  }));
}

/** All lists are full. Their items are as long as a manifest of 1 MiB allows: what the API server may have to evaluate. */
const largest = () => {
  const numbers = (length: number) => Array.from({ length }, (_, index) => `${index}`.padStart(2, '0'));
  const long = (length: number) => (number: string) => `${'x'.repeat(length - 2)}${number}`;
  const urlOf = (number: string) => `https://${long(248)(number)}`;
  const entries = numbers(64).map((number) => ({
    serviceAccounts: numbers(64).map((each) => `${'n'.repeat(63)}/${long(40)(each)}`),
    temporalNamespaces: numbers(64).map(long(60)),
    access: number < '32' ? 'Read' : 'ReadWrite',
  }));
  const oidc = numbers(8).map((number) => ({
    issuer: urlOf(number),
    audience: 'a'.repeat(256),
    requiredClaims: Object.fromEntries(numbers(16).map((each) => [each, long(1_024)(each)])),
  }));
  const dnsNames = numbers(16).map((number) => `${'a.'.repeat(124)}x${number}`);
  const byToken = { oidc: { issuer: urlOf('07'), claims: oidc[0]?.requiredClaims } };
  return manifest({
    temporalNamespaces: numbers(64).map(long(255)),
    allowedNamespaces: numbers(64).map(long(63)),
    callers: [...entries.slice(1), byToken],
    gateway: { authentication: 'Token', oidc, dnsNames, cacheSize: '16Gi' },
  });
};

export const callerCases: readonly StoreCase[] = [
  { name: 'a store with as many callers, issuers and names as fit', text: largest() },
  ...rule(
    'spec.callers[0]',
    'exactly one of namespaces, serviceAccounts, oidc',
    [
      { namespaces: ['orders'] },
      { serviceAccounts: ['orders/worker'], temporalNamespaces: ['orders-prod'], access: 'Read' },
      { oidc: { issuer: GITHUB, claims: { repository: 'acme/orders' } } },
      { namespaces: ['orders'], oidc: null },
    ].map(caller),
    [
      {},
      { access: 'Read' },
      { namespaces: ['orders'], serviceAccounts: ['orders/worker'] },
      { namespaces: ['orders'], oidc: { issuer: GITHUB } },
    ].map(caller),
  ),
  ...texts(
    'spec.callers[0].serviceAccounts[0]',
    'expected NAMESPACE/NAME of a service account, such as orders/worker',
    ['orders/worker', 'a/b', `${'n'.repeat(63)}/${'a'.repeat(253)}`, 'orders/a.b-c'].map(account),
    [
      ...[
        'worker',
        'orders:worker',
        'system:serviceaccount:orders:worker',
        '*/worker',
        'orders/*',
        '/worker',
      ],
      ...['orders/', 'orders/worker/x', 'Orders/worker', 'orders/Worker', 'orders/worker\n', '', '../worker'],
    ].map(account),
  ),
  ...rule(
    'spec.callers',
    'the issuer of a caller must be one of spec.gateway.oidc',
    [['an issuer of the gateway', callers(oidcCaller(GITHUB))]],
    [
      ['another issuer', callers(oidcCaller('https://other.example'))],
      ['an issuer with a slash more', callers(oidcCaller(`${GITHUB}/`))],
      ['a second caller of another issuer', callers(oidcCaller(GITHUB), oidcCaller('https://x.example'))],
      ['an issuer without spec.gateway.oidc', manifest({ callers: [oidcCaller(GITHUB)] })],
    ],
  ),
  ...texts(
    'spec.gateway.oidc[0].issuer',
    'expected a URL that begins with https:// and has no query and no fragment',
    [
      'https://token.actions.githubusercontent.com',
      'https://acme.eu.auth0.com/',
      'https://sts.example:8443/realms/a_b/v2.0',
    ].map(issuer),
    [
      ...['http://token.ci.example', 'http://127.0.0.1:8080', 'https://', 'https://a.example?x=1', ''],
      ...[
        'https://a.example#x',
        'https://user@a.example',
        'https://a.example:port',
        'https://[::1]',
        'HTTPS://a',
      ],
      ...['https://a.example/ x', 'https://a.example\n', 'token.ci.example', 'https://a.example\\@b.example'],
    ].map(issuer),
  ),
  ...rule(
    'spec.gateway.oidc[0].requiredClaims',
    'name at least one claim: a public issuer gives every person a token for any audience',
    [claims({ sub: 'repo:acme/orders:ref:refs/heads/main', repository_owner: 'acme' })],
    [claims({})],
  ),
  ...texts(
    'spec.gateway.dnsNames[0]',
    'expected a DNS name in lower case with three labels or more, such as payloads.example.com or *.example.com',
    [
      'payloads.example.com',
      '*.example.com',
      '*.a.b.example',
      'xn--bcher-kva.example.com',
      '1.2.example',
    ].map(dnsName),
    [
      // Clients in the cluster find Services of other namespaces by these.
      ...['kubernetes', 'kubernetes.default', 'orders-gateway.payments', '*.payments', '*'],
      // No name, or one that covers more than it seems to.
      ...[
        '10.0.0.1',
        '*.0.0.1',
        '::1',
        'payloads.*.example',
        '*.*.example.com',
        '**.example.com',
        'a*.example.com',
      ],
      ...[
        'payloads.example.com.',
        '.example.com',
        'a..example.com',
        'Payloads.example.com',
        'a_b.example.com',
      ],
      ...['payloads.example.com:8577', 'https://a.example.com', 'a.example.com\n', 'a.example.com,DNS:b', ''],
      `a.${'b'.repeat(64)}.example`,
    ].map(dnsName),
  ),
  ...texts(
    'spec.gateway.dnsNames[0]',
    'a name within the cluster cannot be added: the certificate has those of its own namespace already',
    ['svcs.example.com', 'a.svc-b.example', 'payloads.cluster.local.example.com', 'payloads.corp.local'].map(
      dnsName,
    ),
    [
      ...['kubernetes.default.svc', 'orders-gateway.payments.svc', '*.payments.svc', '*.default.svc'],
      ...['kubernetes.default.svc.cluster.local', '*.payments.svc.cluster.local', '*.svc.cluster.local'],
      // A cluster may have another domain.
      ...['kubernetes.default.svc.k8s.acme.example', '*.payments.svc.k8s.acme.example', 'a.svc.b'],
      ...['node-1.cluster.local', '*.cluster.local', 'a-b-c-d.payments.pod.cluster.local'],
    ].map(dnsName),
  ),
  ...rule(
    'spec.gateway.cacheSize',
    'must lie between 1Mi and 16Gi',
    ['1Mi', '64Mi', '16Gi', 67_108_864].map(cached),
    ['0', 0, '1Ki', '17Gi', '1048575'].map(cached),
  ),
  rejected(
    'spec.gateway.cacheSize',
    gateway({ cacheSize: '64MB' }),
    'expected a size in bytes',
    'expected a size in bytes',
  ),
  rejected(
    'spec.gateway.authentication',
    gateway({ authentication: 'none' }),
    '"none": expected one of Token, Migrate, None',
    'Unsupported value: "none": supported values: "Token", "Migrate", "None"',
  ),
  rejected(
    'spec.callers[0].access',
    callers({ namespaces: ['orders'], access: 'Write' }),
    '"Write": expected one of Read, ReadWrite',
    'Unsupported value: "Write": supported values: "Read", "ReadWrite"',
  ),
  rejected(
    'spec.callers',
    manifest({ callers: [] }),
    'needs at least 1 item',
    'spec.callers in body should have at least 1 items',
  ),
  rejected(
    'spec.callers',
    callers(...Array.from({ length: 65 }, () => ({ namespaces: ['orders'] }))),
    'takes at most 64 items, got 65',
    'spec.callers: Too many: 65: must have at most 64 items',
  ),
  ...(['namespaces', 'serviceAccounts', 'temporalNamespaces'] as const).map((field) =>
    rejected(
      `spec.callers[0].${field}`,
      callers({ ...(field === 'temporalNamespaces' && { namespaces: ['orders'] }), [field]: [] }),
      'needs at least 1 item',
      `spec.callers[0].${field} in body should have at least 1 items`,
    ),
  ),
  rejected(
    'spec.gateway.oidc[0].requiredClaims',
    gateway({ oidc: [{ issuer: GITHUB, audience: 'payloads' }] }),
    'required field is missing',
    'spec.gateway.oidc[0].requiredClaims: Required value',
  ),
  rejected(
    'spec.gateway.oidc[0].requiredClaims.admin',
    gateway({ oidc: [{ ...github, requiredClaims: { admin: true } }] }),
    'expected a string, got true',
    'spec.gateway.oidc[0].requiredClaims.admin in body must be of type string: "boolean"',
  ),
  rejected(
    'spec.gateway.oidc[1]',
    gateway({ oidc: [github, { ...github, audience: 'other' }] }),
    `"${GITHUB}" is listed twice`,
    `spec.gateway.oidc[1]: Duplicate value: {"issuer":"${GITHUB}"}`,
  ),
  rejected(
    'spec.gateway.oidc',
    gateway({ oidc: Array.from({ length: 9 }, (_, index) => ({ ...github, issuer: `${GITHUB}/${index}` })) }),
    'takes at most 8 items, got 9',
    'spec.gateway.oidc: Too many: 9: must have at most 8 items',
  ),
  rejected(
    'spec.gateway.dnsNames[1]',
    gateway({ dnsNames: ['a.example.com', 'a.example.com'] }),
    '"a.example.com" is listed twice',
    'spec.gateway.dnsNames[1]: Duplicate value: "a.example.com"',
  ),
];
