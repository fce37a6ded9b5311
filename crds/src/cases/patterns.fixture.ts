import { manifest } from '../manifest.fixture.ts';
import type { StoreCase } from './case.fixture.ts';

const TTL_IN_WORDS = 'expected a duration such as 30s, 12h or 30d, or Forever';
const DURATION_IN_WORDS = 'expected a duration such as 30s, 12h or 30d';

const ttl = (value: string) => manifest({ retention: { ttl: value } });
const reaperInterval = (value: string) => manifest({ retention: { ttl: '30d', reaperInterval: value } });
const s3 = (field: string) => (value: string) =>
  manifest({ storage: { s3: { bucket: 'payloads', [field]: value } } });
const allowedNamespace = (value: string) => manifest({ allowedNamespaces: [value] });
const address = (value: string) =>
  manifest({ retention: { ttl: '30d', temporal: { address: value } }, temporalNamespaces: ['default'] });

/** The API server has the same messages as our validation, so that no person has to read a regular expression. */
function pattern(
  path: string,
  words: string,
  write: (value: string) => string,
  values: { readonly accepted: readonly string[]; readonly rejected: readonly string[] },
): StoreCase[] {
  return [
    ...values.accepted.map((value) => ({
      name: `${path}: accepts ${JSON.stringify(value)}`,
      text: write(value),
    })),
    ...values.rejected.map((value) => ({
      name: `${path}: rejects ${JSON.stringify(value)}`,
      text: write(value),
      problem: { path, message: `${JSON.stringify(value)}: ${words}` },
      answer: [`${path}: Invalid value: ${words}`],
    })),
  ];
}

export const patternCases: readonly StoreCase[] = [
  ...pattern('spec.retention.ttl', TTL_IN_WORDS, ttl, {
    accepted: ['90m'],
    rejected: [
      ...['1.5d', '08s', '0s', '-1d', '+1d', '30', 'd', '30D', '1w', '1h30m', '30 d', ' 30d', '30d\n'],
      ...['forever', 'Never', '1e3s', '٣d', ''],
    ],
  }),
  ...pattern('spec.retention.reaperInterval', DURATION_IN_WORDS, reaperInterval, {
    accepted: ['90s'],
    rejected: ['Forever', '0.5h', '01h', '500ms'],
  }),
  ...pattern('spec.storage.s3.prefix', 'expected nothing, or path segments', s3('prefix'), {
    accepted: ['', 'a/', 'payloads/orders/', 'é/', 'a b/'],
    rejected: ['a', '/', '/a/', 'a//', 'a/b'],
  }),
  ...pattern('spec.allowedNamespaces[0]', 'expected a DNS label', allowedNamespace, {
    accepted: ['team-a', '7', 'a'.repeat(63)],
    rejected: ['*', 'team-a,team-b', 'Payments', 'a_b', '-a', 'a-', 'team a'],
  }),
  ...pattern('spec.storage.s3.endpoint', 'expected a URL that begins with', s3('endpoint'), {
    accepted: ['http://minio:9000', 'https://minio'],
    rejected: ['minio:9000', 'HTTP://minio', 's3://minio', ''],
  }),
  ...pattern('spec.storage.s3.caBundle', 'expected PEM certificates', s3('caBundle'), {
    accepted: ['-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n'],
    rejected: ['/etc/ssl/ca.pem'],
  }),
  ...pattern('spec.storage.s3.storageClass', 'expected the name of a storage class', s3('storageClass'), {
    accepted: ['STANDARD'],
    rejected: ['infrequent access', ''],
  }),
  ...pattern('spec.retention.temporal.address', 'expected a host and a port', address, {
    accepted: ['temporal-frontend.temporal:7233'],
    rejected: ['temporal', 'temporal:', ':7233', 'http://temporal:7233'],
  }),
];
