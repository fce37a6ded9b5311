import { describe, expect, test } from 'vitest';
import { linesOf, manifest, problemsOf } from '../manifest.fixture.ts';

/** Every rule of the schema that judges a manifest by itself, with manifests on both sides of it. */

const s3 = { s3: { bucket: 'payloads' } };
const gcs = { gcs: { bucket: 'payloads' } };
const azure = { azure: { endpoint: 'https://a.blob.core.windows.net', container: 'payloads' } };
const filesystem = { filesystem: { claimName: 'payloads' } };
const address = 'temporal:7233';
const apiKeySecretRef = { name: 'temporal', key: 'api-key' };
const mutualTLSSecretRef = { name: 'temporal' };

type Case = [name: string, text: string];

function rule(path: string, message: string, accepted: Case[], rejected: Case[]) {
  describe(`${path}: ${message}`, () => {
    test.each(accepted)('accepts %s', (_, text) => {
      expect(linesOf(text)).toEqual([]);
    });
    test.each(rejected)('rejects %s', (_, text) => {
      expect(problemsOf(text)).toEqual([{ path, message: expect.stringContaining(message) }]);
    });
  });
}

const named = (name: string): Case => [
  name.length > 50 ? `${name.length} letters` : name,
  manifest({}, { name }),
];
rule(
  'metadata.name',
  "name must be a DNS label of at most 40 characters, and not 'false'",
  ['a', 'orders', 'a-1', 'true', 'falsey', 'a'.repeat(40)].map(named),
  ['', 'false', 'Orders', '1a', 'a-', '-a', 'a.b', 'a_b', 'a\n', 'é', 'a'.repeat(41), 'a'.repeat(253)].map(
    named,
  ),
);

const stored = (storage: object): Case => [Object.keys(storage).join('+') || 'none', manifest({ storage })];
rule(
  'spec.storage',
  'exactly one of s3, gcs, azure, filesystem',
  [
    ...[s3, gcs, azure, filesystem].map(stored),
    ['s3 beside an empty gcs', manifest({ storage: { ...s3, gcs: null } })],
  ],
  [{}, { ...s3, ...gcs }, { ...azure, ...filesystem }, { ...s3, ...gcs, ...azure, ...filesystem }].map(
    stored,
  ),
);

rule(
  'spec.gateway.replicas',
  'filesystem storage has one writer: set spec.gateway.replicas to 1',
  [
    ['one replica', manifest({ storage: filesystem, gateway: { replicas: 1 } })],
    ['no number', manifest({ storage: filesystem })],
    ['many replicas elsewhere', manifest({ storage: s3, gateway: { replicas: 50 } })],
  ],
  [['two replicas', manifest({ storage: filesystem, gateway: { replicas: 2 } })]],
);

rule(
  'spec.reaper',
  'spec.reaper needs a TTL',
  [
    ['a reaper with a TTL', manifest({ reaper: {} })],
    ['no reaper without TTL', manifest({ retention: { ttl: 'Forever' } })],
  ],
  [['a reaper without TTL', manifest({ retention: { ttl: 'Forever' }, reaper: {} })]],
);

rule(
  'spec.reaper',
  'with filesystem storage the gateway pod also reaps',
  [['a filesystem alone', manifest({ storage: filesystem })]],
  [['a reaper beside a filesystem', manifest({ storage: filesystem, reaper: {} })]],
);

rule(
  'spec.temporalNamespaces',
  'retention.temporal needs temporalNamespaces',
  [
    ['both', manifest({ retention: { ttl: '30d', temporal: { address } }, temporalNamespaces: ['default'] })],
    ['namespaces alone', manifest({ temporalNamespaces: ['default'] })],
  ],
  [['temporal alone', manifest({ retention: { ttl: '30d', temporal: { address } } })]],
);

const credentials = (fields: object) =>
  manifest({ retention: { ttl: '30d', temporal: { address, ...fields } }, temporalNamespaces: ['default'] });
rule(
  'spec.retention.temporal',
  'at most one of apiKeySecretRef, mutualTLSSecretRef',
  [
    ['none', credentials({})],
    ['an API key', credentials({ apiKeySecretRef })],
    ['mutual TLS', credentials({ mutualTLSSecretRef })],
  ],
  [['both', credentials({ apiKeySecretRef, mutualTLSSecretRef })]],
);

const kept = (ttl: string): Case => [ttl, manifest({ retention: { ttl } })];
rule(
  'spec.retention.ttl',
  'ttl must be Forever or 8s to 3650d',
  ['Forever', '8s', '10s', '1m', '1h', '1d', '3650d', '87600h', '5256000m', '315360000s'].map(kept),
  ['1s', '7s', '3651d', '99999d', '87601h', '999999999h', '5256001m', '315360001s', '999999999d'].map(kept),
);

const reapedEvery = (reaperInterval: string): Case => [
  reaperInterval,
  manifest({ retention: { ttl: '30d', reaperInterval } }),
];
rule(
  'spec.retention.reaperInterval',
  'reaperInterval must be at most 3650d',
  ['1s', '30m', '3650d', '87600h', '315360000s'].map(reapedEvery),
  ['3651d', '87601h', '5256001m', '315360001s', '999999999d'].map(reapedEvery),
);

const limited = (maxPayloadSize: unknown): Case => [String(maxPayloadSize), manifest({ maxPayloadSize })];
rule(
  'spec.maxPayloadSize',
  'must lie between 1Mi and 5Gi',
  ['1Mi', '5Gi', 1_048_576, 5_368_709_120, '1.5Gi', '5G', '2e6'].map(limited),
  ['1048575', '5368709121', 0, '1M', '1', '6Gi', '5.5G'].map(limited),
);

const threshold = (thresholdSize: unknown): Case => [String(thresholdSize), manifest({ thresholdSize })];
rule(
  'spec.thresholdSize',
  'expected a size in bytes such as 128000, 512Ki, 1.5Gi or 2M',
  [0, 128_000, '0', '128k', '512Ki'].map(threshold),
  ['lots'].map(threshold),
);
