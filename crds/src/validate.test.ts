import { expect, test } from 'vitest';
import { linesOf, manifest, problemsOf } from './manifest.fixture.ts';

const storage = (s3: object) => manifest({ storage: { s3: { bucket: 'payloads', ...s3 } } });
const retention = (fields: object) => manifest({ retention: { ttl: '30d', ...fields } });
const temporal = (address: string) =>
  manifest({ retention: { ttl: '30d', temporal: { address } }, temporalNamespaces: ['default'] });

test('all problems of a manifest are listed, each at its path', () => {
  const text = manifest(
    {
      storage: { s3: { forcePathStyle: 'true' }, gcs: { bucket: 'ab' } },
      retention: { ttl: 30 },
      temporalNamespaces: [],
      gateway: { replicas: 0, resources: { limits: { memory: 1.5 } } },
    },
    { namespace: 'Shop' },
  );
  expect(problemsOf(text).map(({ path }) => path)).toEqual([
    'metadata.name',
    'metadata.namespace',
    'spec.storage.s3.bucket',
    'spec.storage.s3.forcePathStyle',
    'spec.storage.gcs.bucket',
    'spec.storage',
    'spec.retention.ttl',
    'spec.temporalNamespaces',
    'spec.gateway.replicas',
    'spec.gateway.resources.limits.memory',
  ]);
});

test.each([
  ['metadata.name', manifest({}, {}), 'required field is missing'],
  ['spec.retention.ttl', manifest({ retention: {} }), 'required field is missing'],
  ['spec.retention.ttl', manifest({ retention: { ttl: null } }), 'required field is missing'],
  ['spec.storage.s3.bucket', manifest({ storage: { s3: {} } }), 'required field is missing'],
  [
    'spec.retention.ttl',
    retention({ ttl: 30 }),
    'expected a string, got the number 30; write a duration such as',
  ],
  [
    'spec.storage.s3.region',
    storage({ region: 1 }),
    'expected a string, got the number 1; put it in quotes: "1"',
  ],
  [
    'spec.storage.s3.region',
    storage({ region: true }),
    'expected a string, got true; put it in quotes: "true"',
  ],
  ['spec.storage.s3.region', storage({ region: ['a'] }), 'expected a string, got a list'],
  ['spec.storage.s3.region', storage({ region: { a: 1 } }), 'expected a string, got a map'],
  [
    'spec.storage.s3.forcePathStyle',
    storage({ forcePathStyle: 'true' }),
    'expected true or false, got the string "true"; remove the quotes',
  ],
  ['spec.storage.s3.forcePathStyle', storage({ forcePathStyle: 'yes' }), 'got the string "yes"; write true'],
  ['spec.storage.s3.forcePathStyle', storage({ forcePathStyle: 'Off' }), 'got the string "Off"; write false'],
  [
    'spec.storage.s3.forcePathStyle',
    storage({ forcePathStyle: 1 }),
    'expected true or false, got the number 1',
  ],
  ['spec.storage.s3', manifest({ storage: { s3: 'payloads' } }), 'expected a map, got the string "payloads"'],
  ['spec.storage', manifest({ storage: [] }), 'expected a map, got a list'],
  [
    'spec.gateway.replicas',
    manifest({ gateway: { replicas: '2' } }),
    'expected a whole number, got the string "2"; remove the quotes',
  ],
  [
    'spec.gateway.replicas',
    manifest({ gateway: { replicas: 1.5 } }),
    'expected a whole number, got the number 1.5',
  ],
  ['spec.gateway.replicas', manifest({ gateway: { replicas: 51 } }), '51: must be at most 50'],
  ['spec.gateway.replicas', manifest({ gateway: { replicas: 0 } }), '0: must be at least 1'],
  [
    'spec.temporalNamespaces',
    manifest({ temporalNamespaces: 'default' }),
    'expected a list, got the string "default"; write it as a list item: - default',
  ],
  ['spec.temporalNamespaces', manifest({ temporalNamespaces: [] }), 'needs at least 1 item'],
  [
    'spec.temporalNamespaces',
    manifest({ temporalNamespaces: Array.from({ length: 65 }, (_, index) => `n${index}`) }),
    'takes at most 64 items, got 65',
  ],
  ['spec.temporalNamespaces[1]', manifest({ temporalNamespaces: ['a', 'a'] }), '"a" is listed twice'],
  ['spec.temporalNamespaces[0]', manifest({ temporalNamespaces: [null] }), 'expected a string, got nothing'],
  ['spec.temporalNamespaces[0]', manifest({ temporalNamespaces: [''] }), 'must not be empty'],
  [
    'spec.allowedNamespaces[0]',
    manifest({ allowedNamespaces: ['x'.repeat(64)] }),
    'takes at most 63 characters, got 64',
  ],
  ['spec.storage.s3.bucket', storage({ bucket: 'ab' }), '"ab": needs at least 3 characters'],
  ['spec.storage.s3.prefix', storage({ prefix: 'a' }), '"a": expected nothing, or path segments'],
  ['spec.storage.s3.prefix', storage({ prefix: '/' }), '"/": expected nothing, or path segments'],
  ['spec.storage.s3.prefix', storage({ prefix: 'a//' }), '"a//": expected nothing, or path segments'],
  [
    'spec.storage.s3.endpoint',
    storage({ endpoint: 'minio:9000' }),
    '"minio:9000": expected a URL that begins with',
  ],
  [
    'spec.storage.s3.caBundle',
    storage({ caBundle: '/etc/ssl/ca.pem' }),
    '"/etc/ssl/ca.pem": expected PEM certificates',
  ],
  [
    'spec.storage.s3.storageClass',
    storage({ storageClass: 'DEEP_ARCHIVE' }),
    '"DEEP_ARCHIVE": objects of an archive class cannot be read at once',
  ],
  [
    'spec.storage.s3.storageClass',
    storage({ storageClass: 'infrequent access' }),
    'expected the name of a storage class, such as STANDARD_IA',
  ],
  [
    'spec.storage.s3.serverSideEncryption.type',
    storage({ serverSideEncryption: { type: 'kms' } }),
    '"kms": expected one of AES256, aws:kms, aws:kms:dsse',
  ],
  [
    'spec.storage.s3.serverSideEncryption.kmsKeyID',
    storage({ serverSideEncryption: { type: 'AES256', kmsKeyID: 'abc' } }),
    'kmsKeyID needs the type aws:kms or aws:kms:dsse',
  ],
  [
    'spec.retention.ttl',
    retention({ ttl: '1.5d' }),
    '"1.5d": expected a duration such as 30s, 12h or 30d, or Forever',
  ],
  ['spec.retention.ttl', retention({ ttl: 'forever' }), 'or Forever'],
  [
    'spec.retention.reaperInterval',
    retention({ reaperInterval: 'Forever' }),
    '"Forever": expected a duration such as 30s, 12h or 30d',
  ],
  ['spec.retention.temporal.address', temporal('temporal'), '"temporal": expected a host and a port'],
  ['spec.thresholdSize', manifest({ thresholdSize: 'big' }), '"big": expected a size in bytes'],
  ['spec.thresholdSize', manifest({ thresholdSize: true }), 'expected a whole number or a string, got true'],
  [
    'spec.thresholdSize',
    manifest({ thresholdSize: 1.5 }),
    'expected a whole number or a string, got the number 1.5; put it in quotes: "1.5"',
  ],
  ['spec.thresholdSize', manifest({ thresholdSize: -1 }), '-1: expected a size in bytes'],
  [
    'spec.maxPayloadSize',
    manifest({ maxPayloadSize: '0.00000000000000000001Gi' }),
    'takes at most 20 characters',
  ],
  ['metadata.namespace', manifest({}, { name: 'orders', namespace: 'a.b' }), '"a.b": expected a DNS label'],
  ['metadata.name', manifest({}, { name: 5 }), 'expected a string, got the number 5'],
  ['metadata', manifest({}, [] as never), 'expected a map, got a list'],
  [
    'spec.gateway.resources.limits["nvidia.com/gpu"]',
    manifest({ gateway: { resources: { limits: { 'nvidia.com/gpu': [] } } } }),
    'expected a whole number or a string, got a list',
  ],
  [
    'spec.gateway.resources.limits',
    manifest({
      gateway: { resources: { limits: Object.fromEntries('abcdefghi'.split('').map((key) => [key, 1])) } },
    }),
    'takes at most 8 fields, got 9',
  ],
])('%s: %#', (path, text, message) => {
  expect(problemsOf(text)).toEqual([expect.objectContaining({ path })]);
  expect(problemsOf(text)[0]?.message).toContain(message);
});

test.each([
  [
    'spec.retention.reaperIntervall',
    retention({ reaperIntervall: '1h' }),
    'unknown field; did you mean "reaperInterval"?',
  ],
  ['spec.retention.TTL', retention({ TTL: '1h' }), 'unknown field; did you mean "ttl"?'],
  [
    'spec.storage.s3.forcepathstyle',
    storage({ forcepathstyle: true }),
    'unknown field; did you mean "forcePathStyle"?',
  ],
  [
    'spec.storage.s3.acl',
    storage({ acl: 'x' }),
    'unknown field; fields here: bucket, prefix, region, endpoint, forcePathStyle, caBundle',
  ],
  ['spec["a\\nb"]', manifest({ 'a\nb': 1 }), 'unknown field; fields here: storage, retention, '],
])('%s: %s', (path, text, message) => {
  expect(linesOf(text)).toEqual([expect.stringContaining(`${path}: ${message}`)]);
});

test('lengths count characters, not UTF-16 units', () => {
  expect(linesOf(storage({ region: '🌍'.repeat(63) }))).toEqual([]);
});

test('a value is shown shortened and on one line', () => {
  const [problem] = problemsOf(retention({ ttl: `\u001b[31m\n${'x'.repeat(100_000)}` }));
  expect(problem?.message).toMatch(/^"\\u001b\[31m\\nx+…": /);
});

test('a pattern is not tried on megabytes', () => {
  expect(linesOf(storage({ prefix: 'a/'.repeat(500_000) }))).toEqual([
    expect.stringMatching(/expected nothing, or path segments .*, in at most 256 characters$/),
  ]);
});

test('a field with megabytes for a name costs nothing', () => {
  const [problem] = problemsOf(manifest({ ['x'.repeat(1_000_000)]: 1 }));
  expect(problem?.path.length).toBeLessThan(100);
});
