import { expect, expectTypeOf, test } from 'vitest';
import { linesOf, manifest } from './manifest.fixture.ts';
import { ManifestError } from './manifest-error.ts';
import { parseLargePayloadStore, readLargePayloadStore } from './parse.ts';

const STORE = `apiVersion: largepayload.dev/v1alpha1
kind: LargePayloadStore
metadata: {name: orders, namespace: shop}
spec:
  storage: {s3: {bucket: payloads}}
  retention: {ttl: 30d}
`;

test('a smallest manifest gets every default', () => {
  expect(parseLargePayloadStore(STORE, 'store.yaml')).toEqual({
    apiVersion: 'largepayload.dev/v1alpha1',
    kind: 'LargePayloadStore',
    metadata: { name: 'orders', namespace: 'shop' },
    spec: {
      storage: { s3: { bucket: 'payloads', prefix: '', forcePathStyle: false } },
      retention: { ttl: '30d', reaperInterval: '1h' },
      thresholdSize: 128_000,
      maxPayloadSize: '1Gi',
      gateway: {},
    },
  });
});

test('fields with a default are not optional in the type', () => {
  const { spec } = parseLargePayloadStore(STORE, 'store.yaml');
  expectTypeOf(spec.retention.reaperInterval).toEqualTypeOf<string>();
  expectTypeOf(spec.maxPayloadSize).toEqualTypeOf<number | string>();
  expectTypeOf(spec.gateway.replicas).toEqualTypeOf<number | undefined>();
  expectTypeOf(spec.storage.s3?.prefix).toEqualTypeOf<string | undefined>();
});

test('a resource that is parsed already is read alike, and not changed', () => {
  const resource = JSON.parse(manifest({ gateway: null }));
  const before = structuredClone(resource);
  const store = readLargePayloadStore({ ...resource, status: { anything: 1 } }, 'the resource');
  expect(store).toEqual(parseLargePayloadStore(manifest(), 'store.yaml'));
  store.spec.gateway.replicas = 5;
  expect(resource).toEqual(before);
  expect(() => readLargePayloadStore({ ...resource, spec: {} }, 'the resource')).toThrow(ManifestError);
});

test('the values of two parses share no default', () => {
  const first = parseLargePayloadStore(STORE, 'store.yaml');
  first.spec.gateway.replicas = 5;
  expect(parseLargePayloadStore(STORE, 'store.yaml').spec.gateway).toEqual({});
});

test('an empty field gets its default, as in a cluster', () => {
  const text = `${STORE}  gateway:\n  thresholdSize: null\n  reaper: ~\n`;
  expect(parseLargePayloadStore(text, 'store.yaml').spec).toMatchObject({
    gateway: {},
    thresholdSize: 128_000,
  });
  expect(parseLargePayloadStore(text, 'store.yaml').spec).not.toHaveProperty('reaper');
});

test('a resource exported by kubectl is read without its status', () => {
  const text = `${STORE.replace('{name: orders, namespace: shop}', '\n  name: orders\n  uid: 5b1\n  generation: 3\n  labels: {app: x}\n  managedFields: [{manager: kubectl}]')}status: {anything: [1, 2]}\n`;
  const store = parseLargePayloadStore(text, 'store.yaml');
  expect(store).not.toHaveProperty('status');
  expect(store.metadata).toEqual({ name: 'orders' });
});

test('JSON, a byte order mark, anchors, merge keys and Windows line ends are read', () => {
  expect(linesOf(manifest())).toEqual([]);
  expect(linesOf(`\uFEFF${STORE}`)).toEqual([]);
  expect(linesOf(STORE.replaceAll('\n', '\r\n'))).toEqual([]);
  const merged = `${STORE}  gateway: {resources: &small {limits: {memory: 1Gi}}}\n  reaper: {resources: {<<: *small}}\n`;
  expect(parseLargePayloadStore(merged, 'store.yaml').spec.reaper).toEqual({
    resources: { limits: { memory: '1Gi' } },
  });
});

test('other kinds in the file are ignored', () => {
  expect(linesOf(`kind: Secret\napiVersion: v1\n---\n${STORE}---\n# nothing\n---\nkind: Service\n`)).toEqual(
    [],
  );
});

test('the message of the error names the file and every problem', () => {
  const text = manifest({ retention: { ttl: '1.5d', reaperIntervall: '1h' } });
  const failure = () => parseLargePayloadStore(text, 'conf/store.yaml');
  expect(failure).toThrow(ManifestError);
  expect(failure).toThrow(
    'conf/store.yaml is not a valid LargePayloadStore:\n' +
      '  spec.retention.ttl: "1.5d": expected a duration such as 30s, 12h or 30d, or Forever\n' +
      '  spec.retention.reaperIntervall: unknown field; did you mean "reaperInterval"?',
  );
});

test('thousands of problems are all listed, and the message stays readable', () => {
  const unknown = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`unknown${index}`, 1]));
  try {
    parseLargePayloadStore(manifest(unknown), 'store.yaml');
    expect.unreachable();
  } catch (error) {
    expect((error as ManifestError).problems).toHaveLength(5_000);
    expect((error as ManifestError).message).toMatch(/and 4950 more$/);
  }
});

test.each([
  ['at the top', `__proto__: {polluted: true}\n${STORE}`, '__proto__: unknown field'],
  ['as a spec', `${STORE}  __proto__: {polluted: true}\n`, 'spec.__proto__: unknown field'],
  ['quoted', `${STORE}  "__proto__": {polluted: true}\n`, 'spec.__proto__: unknown field'],
  [
    'in metadata',
    STORE.replace('name: orders', 'name: orders, __proto__: {polluted: true}'),
    'metadata.__proto__',
  ],
  [
    'in a map of any fields',
    `${STORE}  gateway: {resources: {limits: {__proto__: {polluted: true}}}}\n`,
    'spec.gateway.resources.limits.__proto__: unknown field',
  ],
  [
    'by a merge',
    `${STORE}  gateway: {<<: {__proto__: {polluted: true}}}\n`,
    'spec.gateway.__proto__: unknown field',
  ],
])('__proto__ %s is an unknown field', (_, text, line) => {
  expect(linesOf(text)).toEqual([expect.stringContaining(line)]);
  expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
});

test.each(['constructor', 'toString', 'hasOwnProperty'])('%s is an unknown field, too', (field) => {
  expect(linesOf(manifest({ [field]: 1 }))).toEqual([
    expect.stringContaining(`spec.${field}: unknown field`),
  ]);
});

test('fields inherited from a prototype are no fields', () => {
  expect(linesOf('{"apiVersion":"largepayload.dev/v1alpha1","kind":"LargePayloadStore"}')).toEqual([
    'metadata: required field is missing',
    'spec: required field is missing',
  ]);
});

test('a reader may allow a prefix of version 0.1, and no other problem with it', () => {
  const withPrefix = (prefix: string) => manifest({ storage: { s3: { bucket: 'payloads', prefix } } });
  const read = (text: string) => parseLargePayloadStore(text, 'store.yaml', { allowReservedPrefix: true });
  expect(read(withPrefix('a/blobs/')).spec.storage.s3?.prefix).toBe('a/blobs/');
  expect(() => parseLargePayloadStore(withPrefix('a/blobs/'), 'store.yaml')).toThrow(
    'no segment may be blobs',
  );
  expect(() => read(withPrefix('blobs//'))).toThrow('expected nothing, or path segments');
  expect(() => read(manifest({ thresholdSize: 'blobs/' }))).toThrow('spec.thresholdSize');
});
