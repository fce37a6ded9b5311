import { type StoreApi, startStoreApi, storePath } from '@largepayload/testing/cluster/store-api';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { crd } from './crd.ts';
import { at } from './json-fields.ts';
import { manifest } from './manifest.fixture.ts';
import { inAllVersions } from './refusal.fixture.ts';

/** What kubectl shows of a store. */

let api: StoreApi;

beforeAll(async () => {
  api = await startStoreApi();
});
afterAll(() => api?.stop());

const apply = (text: string) => api.kubectl(['apply', '--filename', '-'], text);

test('kubectl apply refuses a manifest with a sentence and the field to edit', async () => {
  const { code, errors } = await apply(manifest({ retention: { ttl: '3651d' } }));
  expect(code).toBe(1);
  expect(inAllVersions(errors.trim())).toBe(
    'The LargePayloadStore "orders" is invalid: spec.retention.ttl: Invalid value: ttl must be Forever or 8s to 3650d',
  );
});

test('kubectl apply refuses a field that does not exist', async () => {
  const { code, errors } = await apply(manifest({ retentoin: {} }));
  expect(code).toBe(1);
  expect(errors).toContain('strict decoding error: unknown field "spec.retentoin"');
});

test('a second kubectl apply changes nothing, and an edit of the bucket is refused', async () => {
  expect((await apply(manifest())).output).toBe('largepayloadstore.largepayload.dev/orders created\n');
  expect((await apply(manifest())).output).toBe('largepayloadstore.largepayload.dev/orders unchanged\n');
  const { errors } = await apply(manifest({ storage: { s3: { bucket: 'others' } } }));
  expect(inAllVersions(errors)).toContain('spec.storage.s3: Invalid value: bucket and prefix cannot change');
});

test('kubectl scale changes the replicas of the gateway', async () => {
  await apply(manifest({}, { name: 'scaled' }));
  expect(await api.kubectl(['scale', 'lps', 'scaled', '--replicas=4'])).toMatchObject({
    code: 0,
    output: 'largepayloadstore.largepayload.dev/scaled scaled\n',
  });
  expect(at(await api.call('GET', storePath('default', 'scaled')), 'spec', 'gateway')).toEqual({
    replicas: 4,
  });
});

test('kubectl get shows whether the store is ready, the reason and the TTL', async () => {
  await apply(manifest({ retention: { ttl: '12h' } }, { name: 'shown' }));
  const condition = {
    ...{ type: 'Ready', status: 'False', reason: 'StorageDenied', message: 'The key may not put.' },
    lastTransitionTime: '2026-06-01T11:00:00Z',
  };
  const status = { authentication: 'Token', conditions: [condition], pods: { missed: 1, outdated: 3 } };
  const path = `${storePath('default', 'shown')}/status`;
  await api.call('PATCH', path, JSON.stringify({ status }), 'application/merge-patch+json');
  const rows = async (...args: string[]) => {
    const { output } = await api.kubectl(['get', 'lps', 'shown', ...args]);
    return output
      .trimEnd()
      .split('\n')
      .map((line) => line.split(/\s{2,}/).map((cell) => cell.trim()));
  };
  const [head, row] = await rows();
  expect(head).toEqual(['NAME', 'READY', 'REASON', 'TTL', 'MISSED', 'OUTDATED', 'AGE']);
  expect(row?.slice(0, -1)).toEqual(['shown', 'False', 'StorageDenied', '12h', '1', '3']);
  const [wideHead, wideRow] = await rows('--output', 'wide');
  expect(wideHead).toEqual([...(head ?? []).slice(0, -1), 'AUTHENTICATION', 'MESSAGE', 'AGE']);
  expect(wideRow?.slice(0, -1)).toEqual([...(row ?? []).slice(0, -1), 'Token', 'The key may not put.']);
});

test('kubectl get finds the store by every name of its kind', async () => {
  await apply(manifest({}, { name: 'found' }));
  for (const kind of ['lps', 'largepayloadstore', 'largepayloadstores.largepayload.dev']) {
    expect((await api.kubectl(['get', kind, 'found', '-o', 'name'])).output).toContain('/found');
  }
});

test('kubectl explain shows the fields of a store', async () => {
  const { output } = await api.kubectl(['explain', 'lps.spec.storage.s3']);
  expect(output).toContain('Amazon S3, or a service that speaks its protocol.');
  expect(output).toMatch(/bucket\s+<string> -required-/);
  expect(output).toContain('Name of the bucket, which must exist. Cannot be changed later.');
});

interface Described {
  readonly description?: string;
  readonly properties?: Readonly<Record<string, Described>>;
  readonly items?: Described;
}

/** Fields that the API server describes. */
const THEIRS = ['lps.apiVersion', 'lps.kind', 'lps.metadata'];

/** All other fields by their path. */
function* fields(node: Described, path: string): Generator<[path: string, field: Described]> {
  for (const [name, field] of Object.entries(node.properties ?? {})) {
    if (THEIRS.includes(`${path}.${name}`)) continue;
    yield [`${path}.${name}`, field];
    yield* fields(field, `${path}.${name}`);
    if (field.items) yield* fields(field.items, `${path}.${name}`);
  }
}

test('kubectl explain has a sentence for every field, which explains more than its name', async () => {
  const { output } = await api.kubectl(['get', '--raw', '/openapi/v3/apis/largepayload.dev/v1alpha1']);
  const { schemas } = JSON.parse(output).components;
  const served = schemas['dev.largepayload.v1alpha1.LargePayloadStore'] as Described;
  expect(served.description).toMatch(/\.$/);
  const all = [...fields(served, 'lps')];
  expect(all.length).toBeGreaterThan(60);
  for (const [path, { description = '' }] of all) {
    expect(description, path).toMatch(/^[A-Z].*\.$/s);
    const name = path.split('.').at(-1) ?? '';
    const words = description.toLowerCase().replace(/[^a-z]/g, '');
    expect(words, path).not.toBe(name.toLowerCase());
    expect(description.length, path).toBeGreaterThan(10);
  }
});

test('a store that is exported can be applied again', async () => {
  await apply(manifest({}, { name: 'exported' }));
  const { output } = await api.kubectl(['get', 'lps', 'exported', '-o', 'yaml']);
  await api.kubectl(['delete', 'lps', 'exported']);
  expect(await apply(output)).toMatchObject({ code: 0 });
  expect(output).toContain(`kind: ${crd().spec.names.kind}`);
});
