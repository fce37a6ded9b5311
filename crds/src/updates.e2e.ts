import { setTimeout as sleep } from 'node:timers/promises';
import { type StoreApi, startStoreApi, storePath } from '@largepayload/testing/cluster/store-api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { crd } from './crd.ts';
import { at } from './json-fields.ts';
import { manifest } from './manifest.fixture.ts';
import { inAllVersions } from './refusal.fixture.ts';

let api: StoreApi;

beforeAll(async () => {
  api = await startStoreApi();
});
afterAll(() => api?.stop());

const MERGE = 'application/merge-patch+json';

const s3 = { s3: { bucket: 'payloads', prefix: 'a/' } };
const gcs = { gcs: { bucket: 'payloads', prefix: 'a/' } };
const azure = { azure: { endpoint: 'https://a.blob.core.windows.net', container: 'payloads', prefix: 'a/' } };
const filesystem = { filesystem: { claimName: 'payloads' } };

let counter = 0;

/** The path of a new store with this spec. */
async function created(spec: object): Promise<string> {
  const name = `store-${++counter}`;
  const answer = await api.call('POST', storePath('default'), manifest({ ...spec }, { name }));
  expect(answer.kind, answer.message).toBe('LargePayloadStore');
  return storePath('default', name);
}

/** The API server's message about an edit by a JSON merge patch; `undefined`: it took the edit. */
async function refusalOf(path: string, patch: object): Promise<string | undefined> {
  const query = '?fieldValidation=Strict';
  const answer = await api.call('PATCH', path + query, JSON.stringify(patch), MERGE);
  return answer.kind === 'Status' ? inAllVersions(`${answer.message}`) : undefined;
}

const BUCKET = 'bucket and prefix cannot change';
const CONTAINER = 'account, container and prefix cannot change';
const BACKEND = 'the backend cannot change: references would dangle';

test.each<[what: string, storage: object, edit: object, message: string]>([
  ['another bucket', s3, { s3: { bucket: 'others' } }, BUCKET],
  ['another prefix', s3, { s3: { prefix: 'b/' } }, BUCKET],
  ['no prefix any more', s3, { s3: { prefix: null } }, BUCKET],
  ['an empty prefix', s3, { s3: { prefix: '' } }, BUCKET],
  ['a prefix where there was none', { s3: { bucket: 'payloads' } }, { s3: { prefix: 'a/' } }, BUCKET],
  ['another bucket of Google', gcs, { gcs: { bucket: 'others' } }, BUCKET],
  ['another prefix at Google', gcs, { gcs: { prefix: 'b/' } }, BUCKET],
  ['no prefix at Google any more', gcs, { gcs: { prefix: null } }, BUCKET],
  ['another account', azure, { azure: { endpoint: 'https://b.blob.core.windows.net' } }, CONTAINER],
  ['another container', azure, { azure: { container: 'others' } }, CONTAINER],
  ['no prefix at Azure any more', azure, { azure: { prefix: null } }, CONTAINER],
  ['another claim', filesystem, { filesystem: { claimName: 'others' } }, 'claimName cannot change'],
  ['Google for S3', s3, { s3: null, ...gcs }, BACKEND],
  ['Azure for Google', gcs, { gcs: null, ...azure }, BACKEND],
  ['S3 for a claim', filesystem, { filesystem: null, ...s3 }, BACKEND],
  ['a claim for Azure', azure, { azure: null, ...filesystem }, BACKEND],
])('an edit to %s is refused', async (_, storage, edit, message) => {
  const path = await created({ storage });
  expect(await refusalOf(path, { spec: { storage: edit } })).toContain(message);
});

test.each<[what: string, storage: object, spec: object]>([
  ['the region and the endpoint', s3, { storage: { s3: { region: 'eu-west-1', endpoint: 'http://minio' } } }],
  ['the prefix, written as it is by default', { s3: { bucket: 'abc' } }, { storage: { s3: { prefix: '' } } }],
  ['the TTL', s3, { retention: { ttl: 'Forever' } }],
  ['replicas', s3, { gateway: { replicas: 5 } }],
  ['whether the storage is shared', s3, { storage: { shared: true } }],
  ['the size limits', filesystem, { thresholdSize: '1Mi', maxPayloadSize: '2Gi' }],
])('an edit of %s is accepted', async (_, storage, spec) => {
  expect(await refusalOf(await created({ storage }), { spec })).toBeUndefined();
});

test('a rule of the schema also holds for edits', async () => {
  const path = await created({ storage: filesystem });
  expect(await refusalOf(path, { spec: { gateway: { replicas: 2 } } })).toContain(
    'spec.gateway.replicas: Invalid value: filesystem storage has one writer: set spec.gateway.replicas to 1',
  );
});

const status = {
  observedGeneration: 1,
  replicas: 2,
  selector: 'app.kubernetes.io/instance=orders',
  conditions: [
    {
      type: 'Ready',
      status: 'True',
      reason: 'Ready',
      message: 'x',
      lastTransitionTime: '2026-06-01T11:00:00Z',
    },
  ],
};

test('the status is written by its subresource only, which writes nothing else', async () => {
  const path = await created({ storage: s3 });
  expect(await refusalOf(path, { status })).toBeUndefined();
  expect(await api.call('GET', path)).not.toHaveProperty('status');
  expect(await refusalOf(`${path}/status`, { status, spec: { retention: { ttl: '1d' } } })).toBeUndefined();
  const store = await api.call('GET', path);
  expect(store).toMatchObject({ status, spec: { retention: { ttl: '30d' } }, metadata: { generation: 1 } });
});

test('a condition needs all of its fields, and a status has one condition of each type', async () => {
  const path = `${await created({ storage: s3 })}/status`;
  const [condition] = status.conditions;
  const withConditions = (...conditions: object[]) => ({ status: { conditions } });
  expect(await refusalOf(path, withConditions({ ...condition, status: 'Maybe' }))).toContain('"Unknown"');
  expect(await refusalOf(path, withConditions({ ...condition, reason: undefined }))).toContain('Required');
  expect(await refusalOf(path, withConditions({ ...condition }, { ...condition }))).toContain('Duplicate');
});

test('an autoscaler reads and writes the scale, within the bounds of the spec', async () => {
  const path = await created({ storage: s3, gateway: { replicas: 3 } });
  await refusalOf(`${path}/status`, { status });
  expect(await api.call('GET', `${path}/scale`)).toMatchObject({
    kind: 'Scale',
    spec: { replicas: 3 },
    status: { replicas: 2, selector: 'app.kubernetes.io/instance=orders' },
  });
  expect(await refusalOf(`${path}/scale`, { spec: { replicas: 7 } })).toBeUndefined();
  expect(at(await api.call('GET', path), 'spec', 'gateway', 'replicas')).toBe(7);
  expect(await refusalOf(`${path}/scale`, { spec: { replicas: 51 } })).toContain('less than or equal to 50');
  expect(await refusalOf(`${path}/scale`, { spec: { replicas: 0 } })).toContain('greater than or equal to 1');
});

test('a store on a volume cannot be scaled out', async () => {
  const path = await created({ storage: filesystem });
  expect(await refusalOf(`${path}/scale`, { spec: { replicas: 2 } })).toContain('has one writer');
});

test('a store with a prefix that version 0.1 allowed can be edited, and a new store with it is refused', async () => {
  const definition = `/apis/apiextensions.k8s.io/v1/customresourcedefinitions/${crd().metadata.name}`;
  const withRules = (rules: object[] | null) => {
    const { versions } = crd().spec;
    const prefix = at(
      versions[0],
      'schema',
      'openAPIV3Schema',
      'properties',
      'spec',
      'properties',
      'storage',
    );
    const node = at(prefix, 'properties', 's3', 'properties', 'prefix') as Record<string, unknown>;
    if (rules !== null) node['x-kubernetes-validations'] = rules;
    return api.call('PATCH', definition, JSON.stringify({ spec: { versions } }), MERGE);
  };
  const reserved = { s3: { bucket: 'payloads', prefix: 'expires-a/' } };
  const create = (name: string) =>
    api.call('POST', storePath('default'), manifest({ storage: reserved }, { name }));
  const until = async (kind: string) => {
    for (let attempt = 0; attempt < 200; attempt += 1) {
      const answer = await create(`reserved-${++counter}`);
      if (answer.kind === kind) return answer;
      await sleep(50);
    }
    throw new Error(`never a ${kind}`);
  };
  await withRules([]);
  const { metadata } = await until('LargePayloadStore');
  await withRules(null);
  expect((await until('Status')).message).toContain('no segment may be blobs, begin with expires-');

  const path = storePath('default', `${at(metadata, 'name')}`);
  expect(await refusalOf(`${path}/status`, { status })).toBeUndefined();
  expect(await refusalOf(path, { spec: { retention: { ttl: '1d' } } })).toBeUndefined();
  expect(await api.call('GET', path)).toMatchObject({ status, spec: { retention: { ttl: '1d' } } });
});
