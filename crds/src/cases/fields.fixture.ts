import { manifest } from '../manifest.fixture.ts';
import { rejected, type StoreCase } from './case.fixture.ts';

const storage = (s3: object) => manifest({ storage: { s3: { bucket: 'payloads', ...s3 } } });
const retention = (fields: object) => manifest({ retention: { ttl: '30d', ...fields } });

const S3 = 'spec.storage.s3';
const PATH_STYLE = `${S3}.forcePathStyle`;
const NAMESPACES = 'spec.temporalNamespaces';
const LIMITS = 'spec.gateway.resources.limits';

/** Required fields and types. */
const typeCases: readonly StoreCase[] = [
  rejected(
    'metadata.name',
    manifest({}, {}),
    'required field is missing',
    'name or generateName is required',
  ),
  rejected(
    'metadata.name',
    manifest({}, { name: 5 }),
    'expected a string, got the number 5',
    'of type string',
  ),
  rejected('metadata', manifest({}, [] as never), 'expected a map, got a list', 'cannot unmarshal array'),
  rejected(
    'metadata.namespace',
    manifest({}, { name: 'orders', namespace: 'a.b' }),
    '"a.b": expected a DNS label',
    'namespaces "a.b" not found',
  ),
  ...[{}, { ttl: null }].map((fields) =>
    rejected(
      'spec.retention.ttl',
      manifest({ retention: fields }),
      'required field is missing',
      'spec.retention.ttl: Required value',
    ),
  ),
  rejected(
    `${S3}.bucket`,
    manifest({ storage: { s3: {} } }),
    'required field is missing',
    `${S3}.bucket: Required value`,
  ),
  rejected(
    'spec.retention.ttl',
    retention({ ttl: 30 }),
    'expected a string, got the number 30; write a duration such as',
    'spec.retention.ttl in body must be of type string: "integer"',
  ),
  ...(
    [
      [1, 'the number 1; put it in quotes: "1"', 'must be of type string: "integer"'],
      [true, 'true; put it in quotes: "true"', 'must be of type string: "boolean"'],
      [['a'], 'a list', 'must be of type string: "array"'],
      [{ a: 1 }, 'a map', 'unknown field "spec.storage.s3.region.a"'],
    ] as const
  ).map(([region, got, answer]) =>
    rejected(`${S3}.region`, storage({ region }), `expected a string, got ${got}`, answer),
  ),
  ...(
    [
      ['true', 'the string "true"; remove the quotes'],
      ['yes', 'the string "yes"; write true'],
      ['Off', 'the string "Off"; write false'],
      [1, 'the number 1'],
    ] as const
  ).map(([forcePathStyle, got]) =>
    rejected(
      PATH_STYLE,
      storage({ forcePathStyle }),
      `expected true or false, got ${got}`,
      `${PATH_STYLE} in body must be of type boolean`,
    ),
  ),
  rejected(
    S3,
    manifest({ storage: { s3: 'payloads' } }),
    'expected a map, got the string "payloads"',
    `${S3} in body must be of type object: "string"`,
  ),
  rejected(
    'spec.storage',
    manifest({ storage: [] }),
    'expected a map, got a list',
    'spec.storage in body must be of type object: "array"',
  ),
  ...(
    [
      ['2', 'the string "2"; remove the quotes'],
      [1.5, 'the number 1.5'],
    ] as const
  ).map(([replicas, got]) =>
    rejected(
      'spec.gateway.replicas',
      manifest({ gateway: { replicas } }),
      `expected a whole number, got ${got}`,
      // Newer API servers say `int32`.
      'spec.gateway.replicas in body must be of type int',
    ),
  ),
  rejected(
    NAMESPACES,
    manifest({ temporalNamespaces: 'default' }),
    'expected a list, got the string "default"; write it as a list item: - default',
    `${NAMESPACES} in body must be of type array: "string"`,
  ),
  rejected(
    `${NAMESPACES}[0]`,
    manifest({ temporalNamespaces: [null] }),
    'expected a string, got nothing',
    `${NAMESPACES}[0] in body must be of type string: "null"`,
  ),
  rejected(
    'spec.thresholdSize',
    manifest({ thresholdSize: true }),
    'expected a whole number or a string, got true',
    'spec.thresholdSize in body must be of type integer,string: "boolean"',
  ),
  rejected(
    'spec.thresholdSize',
    manifest({ thresholdSize: 1.5 }),
    'expected a whole number or a string, got the number 1.5; put it in quotes: "1.5"',
    'spec.thresholdSize in body must be of type integer,string: "number"',
  ),
  rejected(
    `${LIMITS}["nvidia.com/gpu"]`,
    manifest({ gateway: { resources: { limits: { 'nvidia.com/gpu': [] } } } }),
    'expected a whole number or a string, got a list',
    `${LIMITS}.nvidia.com/gpu in body must be of type integer,string: "array"`,
  ),
];

/** Bounds of numbers, of lengths and of lists. */
const boundCases: readonly StoreCase[] = [
  rejected(
    'spec.gateway.replicas',
    manifest({ gateway: { replicas: 51 } }),
    '51: must be at most 50',
    'spec.gateway.replicas in body should be less than or equal to 50',
  ),
  rejected(
    'spec.gateway.replicas',
    manifest({ gateway: { replicas: 0 } }),
    '0: must be at least 1',
    'spec.gateway.replicas in body should be greater than or equal to 1',
  ),
  rejected(
    NAMESPACES,
    manifest({ temporalNamespaces: [] }),
    'needs at least 1 item',
    `${NAMESPACES} in body should have at least 1 items`,
  ),
  rejected(
    NAMESPACES,
    manifest({ temporalNamespaces: Array.from({ length: 65 }, (_, index) => `n${index}`) }),
    'takes at most 64 items, got 65',
    `${NAMESPACES}: Too many: 65: must have at most 64 items`,
  ),
  rejected(
    `${NAMESPACES}[1]`,
    manifest({ temporalNamespaces: ['a', 'a'] }),
    '"a" is listed twice',
    `${NAMESPACES}[1]: Duplicate value: "a"`,
  ),
  rejected(
    `${NAMESPACES}[0]`,
    manifest({ temporalNamespaces: [''] }),
    'must not be empty',
    `${NAMESPACES}[0] in body should be at least 1 chars long`,
  ),
  rejected(
    'spec.allowedNamespaces[0]',
    manifest({ allowedNamespaces: ['x'.repeat(64)] }),
    'expected a DNS label: at most 63 lower-case letters, digits and hyphens, in at most 63 characters',
    'spec.allowedNamespaces[0]: Too long: may not be more than 63 bytes',
  ),
  rejected(
    `${S3}.bucket`,
    storage({ bucket: 'ab' }),
    '"ab": needs at least 3 characters',
    `${S3}.bucket in body should be at least 3 chars long`,
  ),
  rejected(
    'spec.maxPayloadSize',
    manifest({ maxPayloadSize: '0.00000000000000000001Gi' }),
    'takes at most 20 characters',
    'spec.maxPayloadSize: Too long: may not be more than 20 bytes',
  ),
  rejected(
    LIMITS,
    manifest({
      gateway: { resources: { limits: Object.fromEntries('abcdefghi'.split('').map((key) => [key, 1])) } },
    }),
    'takes at most 8 fields, got 9',
    `${LIMITS}: Too many: 9: must have at most 8 items`,
  ),
  rejected(
    `${S3}.serverSideEncryption.type`,
    storage({ serverSideEncryption: { type: 'kms' } }),
    '"kms": expected one of AES256, aws:kms, aws:kms:dsse',
    'Unsupported value: "kms": supported values: "AES256", "aws:kms", "aws:kms:dsse"',
  ),
  { name: 'lengths count characters, not UTF-16 units', text: storage({ region: '🌍'.repeat(63) }) },
];

const unknown = (path: string, text: string, message: string): StoreCase =>
  rejected(path, text, `unknown field; ${message}`, `strict decoding error: unknown field "${path}"`);

/** Manifests that kubectl's strict validation refuses, which is on by default. */
const unknownFieldCases: readonly StoreCase[] = [
  unknown(
    'spec.retention.reaperIntervall',
    retention({ reaperIntervall: '1h' }),
    'did you mean "reaperInterval"?',
  ),
  unknown('spec.retention.TTL', retention({ TTL: '1h' }), 'did you mean "ttl"?'),
  unknown(`${S3}.forcepathstyle`, storage({ forcepathstyle: true }), 'did you mean "forcePathStyle"?'),
  unknown(
    `${S3}.acl`,
    storage({ acl: 'x' }),
    'fields here: bucket, prefix, region, endpoint, forcePathStyle, caBundle',
  ),
  rejected(
    'spec["a\\nb"]',
    manifest({ 'a\nb': 1 }),
    'unknown field; fields here: storage, retention, ',
    'unknown field "spec.a\nb"',
  ),
  {
    name: 'a field given twice',
    text: manifest().replace('"ttl":"30d"', '"ttl":"30d","ttl":"1d"'),
    problem: { path: '', message: 'the field "ttl" is given twice' },
    answer: ['strict decoding error: duplicate field "spec.retention.ttl"'],
  },
];

export const fieldCases: readonly StoreCase[] = [...typeCases, ...boundCases, ...unknownFieldCases];
