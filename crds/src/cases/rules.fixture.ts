import { manifest } from '../manifest.fixture.ts';
import { readableSizes, refusedSizes } from '../quantity.fixture.ts';
import { rule, type StoreCase } from './case.fixture.ts';

type Named = readonly [name: string, text: string, answer?: string | undefined];

const s3 = { s3: { bucket: 'payloads' } };
const gcs = { gcs: { bucket: 'payloads' } };
const azure = { azure: { endpoint: 'https://a.blob.core.windows.net', container: 'payloads' } };
const filesystem = { filesystem: { claimName: 'payloads' } };
const address = 'temporal:7233';
const apiKeySecretRef = { name: 'temporal', key: 'api-key' };
const mutualTLSSecretRef = { name: 'temporal' };

const NAME_RULE = "name must be a DNS label of at most 40 characters, and not 'false'";

const named = (name: string, answer?: string): Named => [
  name.length > 50 ? `${name.length} letters` : JSON.stringify(name),
  manifest({}, { name }),
  answer,
];
const stored = (storage: object): Named => [Object.keys(storage).join('+') || 'none', manifest({ storage })];
const credentials = (fields: object) =>
  manifest({ retention: { ttl: '30d', temporal: { address, ...fields } }, temporalNamespaces: ['default'] });
const kept = (ttl: string): Named => [ttl, manifest({ retention: { ttl } })];
const reapedEvery = (reaperInterval: string): Named => [
  reaperInterval,
  manifest({ retention: { ttl: '30d', reaperInterval } }),
];
const sized =
  (field: string) =>
  (size: unknown): Named => [JSON.stringify(size), manifest({ [field]: size })];
/** Numbers that are not whole, and texts that are too long, have other messages. */
const fitsField = (size: number | string) =>
  typeof size === 'string' ? size.length <= 20 : Number.isSafeInteger(size);
const written = (fields: object): Named => [
  JSON.stringify(fields),
  manifest({ storage: { s3: { bucket: 'payloads', ...fields } } }),
];

const behind = (backend: string, prefix: string): Named => [
  JSON.stringify(prefix),
  manifest({ storage: { [backend]: { bucket: 'payloads', prefix } } }),
];

/** Manifests on both sides of every rule that judges a single manifest. */
export const ruleCases: readonly StoreCase[] = [
  ...rule(
    'metadata.name',
    NAME_RULE,
    ['a', 'orders', 'a-1', 'true', 'falsey', 'a'.repeat(40)].map((name) => named(name)),
    [
      ...['false', '1a', 'a.b', 'a'.repeat(41), 'a'.repeat(253)].map((name) => named(name, NAME_RULE)),
      ...['Orders', 'a-', '-a', 'a_b', 'a\n', 'é'].map((name) =>
        named(name, 'a lowercase RFC 1123 subdomain must consist of'),
      ),
      named('', 'name or generateName is required'),
    ],
  ),
  ...rule(
    'spec.storage',
    'exactly one of s3, gcs, azure, filesystem',
    [
      ...[s3, gcs, azure, filesystem].map(stored),
      ['s3 beside an empty gcs', manifest({ storage: { ...s3, gcs: null } })],
    ],
    [{}, { ...s3, ...gcs }, { ...azure, ...filesystem }, { ...s3, ...gcs, ...azure, ...filesystem }].map(
      stored,
    ),
  ),
  ...['s3', 'gcs'].flatMap((backend) =>
    rule(
      `spec.storage.${backend}.prefix`,
      'no segment may be blobs, begin with expires-, be . or .., or have a control character',
      ['blob/', 'a/blobs-1/', 'Blobs/', 'a/expires/', 'expired-/', '.../', '.a/', 'a../', 'é b/'].map(
        (prefix) => behind(backend, prefix),
      ),
      [
        ...[
          'blobs/',
          'a/blobs/',
          'blobs/a/',
          'expires-/',
          'a/expires-20261224T000000Z-30d/b/',
          './',
          'a/../',
        ],
        ...['a\u0000/', 'a\nb/', '\u007f/', 'a/\u0085/'],
      ].map((prefix) => behind(backend, prefix)),
    ),
  ),
  ...rule(
    'spec.storage.azure.prefix',
    'no segment may be blobs',
    [],
    [['blobs/', manifest({ storage: { azure: { ...azure.azure, prefix: 'blobs/' } } })]],
  ),
  ...rule(
    'spec.storage.s3.storageClass',
    'objects of an archive class cannot be read at once; GLACIER_IR can',
    ['STANDARD_IA', 'GLACIER_IR'].map((storageClass) => written({ storageClass })),
    ['GLACIER', 'DEEP_ARCHIVE'].map((storageClass) => written({ storageClass })),
  ),
  ...rule(
    'spec.storage.s3.serverSideEncryption.kmsKeyID',
    'kmsKeyID needs the type aws:kms or aws:kms:dsse',
    [{ type: 'AES256' }, { type: 'aws:kms' }, { type: 'aws:kms:dsse', kmsKeyID: 'abc' }].map(
      (serverSideEncryption) => written({ serverSideEncryption }),
    ),
    [written({ serverSideEncryption: { type: 'AES256', kmsKeyID: 'abc' } })],
  ),
  ...rule(
    'spec.gateway.replicas',
    'filesystem storage has one writer: set spec.gateway.replicas to 1',
    [
      ['one replica', manifest({ storage: filesystem, gateway: { replicas: 1 } })],
      ['no number', manifest({ storage: filesystem })],
      ['many replicas elsewhere', manifest({ storage: s3, gateway: { replicas: 50 } })],
    ],
    [['two replicas', manifest({ storage: filesystem, gateway: { replicas: 2 } })]],
  ),
  ...rule(
    'spec.reaper',
    'spec.reaper needs a TTL: with ttl Forever nothing is reaped, so take spec.reaper out',
    [
      ['a reaper with a TTL', manifest({ reaper: {} })],
      ['no reaper without TTL', manifest({ retention: { ttl: 'Forever' } })],
    ],
    [['a reaper without TTL', manifest({ retention: { ttl: 'Forever' }, reaper: {} })]],
  ),
  ...rule(
    'spec.reaper',
    'with filesystem storage the gateway pod also reaps',
    [['a filesystem alone', manifest({ storage: filesystem })]],
    [['a reaper beside a filesystem', manifest({ storage: filesystem, reaper: {} })]],
  ),
  ...rule(
    'spec.temporalNamespaces',
    'retention.temporal needs temporalNamespaces',
    [
      ['both', credentials({})],
      ['namespaces alone', manifest({ temporalNamespaces: ['default'] })],
    ],
    [['temporal alone', manifest({ retention: { ttl: '30d', temporal: { address } } })]],
  ),
  ...rule(
    'spec.retention.temporal',
    'at most one of apiKeySecretRef, mutualTLSSecretRef',
    [
      ['no credentials', credentials({})],
      ['an API key', credentials({ apiKeySecretRef })],
      ['mutual TLS', credentials({ mutualTLSSecretRef })],
    ],
    [['both', credentials({ apiKeySecretRef, mutualTLSSecretRef })]],
  ),
  ...rule(
    'spec.retention.ttl',
    'ttl must be Forever or 8s to 3650d',
    ['Forever', '8s', '10s', '1m', '1h', '1d', '3650d', '87600h', '5256000m', '315360000s'].map(kept),
    ['1s', '7s', '3651d', '99999d', '87601h', '999999999h', '5256001m', '315360001s', '999999999d'].map(kept),
  ),
  ...rule(
    'spec.retention.reaperInterval',
    'reaperInterval must be at most 3650d',
    ['1s', '30m', '3650d', '87600h', '315360000s'].map(reapedEvery),
    ['3651d', '87601h', '5256001m', '315360001s', '999999999d'].map(reapedEvery),
  ),
  ...rule(
    'spec.maxPayloadSize',
    'must lie between 1Mi and 5Gi',
    ['1Mi', '5Gi', 1_048_576, 5_368_709_120, '1.5Gi', '5G', '2e6'].map(sized('maxPayloadSize')),
    ['1048575', '5368709121', 0, '1M', '1', '6Gi', '5.5G'].map(sized('maxPayloadSize')),
  ),
  ...rule(
    'spec.thresholdSize',
    'expected a size in bytes such as 128000, 512Ki, 1.5Gi or 2M',
    [...readableSizes.map(([size]) => size), '7.0', '1.7e1', '-0'].map(sized('thresholdSize')),
    refusedSizes.flatMap(([size]) => (fitsField(size) ? [sized('thresholdSize')(size)] : [])),
  ),
];
