import { expect, test } from 'vitest';
import type { KubernetesObject, WatchEvent } from './api.ts';
import { apiBed, applyCrd, NEVER, store } from './api-server.fixture.ts';
import { configMap } from './objects.fixture.ts';
import { CONFIG_MAPS, LARGE_PAYLOAD_STORES, SERVICES } from './resources.ts';

const bed = apiBed();
const FORCE = { force: true };
const withName = (namespace: string, name: string, data = {}): KubernetesObject => ({
  ...configMap(name, '', data),
  metadata: { namespace, name },
});

test('an apply leaves fields of others, wins conflicts by force, and removes fields that are no longer applied', async () => {
  const api = bed.api();
  const namespace = await bed.newNamespace();
  await api.apply(CONFIG_MAPS, withName(namespace, 'one', { a: '1', b: '2' }), FORCE, NEVER);
  const name = { resource: CONFIG_MAPS, namespace, name: 'one' };
  const found = (await api.get(name, NEVER)) as KubernetesObject;
  const byAnother = { ...found, data: { a: 'other', b: '2', c: 'foreign' } };
  // Replacing counts as another manager than applying.
  await api.replace(CONFIG_MAPS, byAnother, NEVER);
  const mine = withName(namespace, 'one', { a: '3' });
  const unforced = api.apply(CONFIG_MAPS, mine, { force: false }, NEVER);
  await expect(unforced).rejects.toMatchObject({ status: 409, reason: 'Conflict' });
  const applied = await api.apply(CONFIG_MAPS, mine, FORCE, NEVER);
  expect(applied.data).toEqual({ a: '3', c: 'foreign' });
  const { resourceVersion } = applied.metadata;
  const again = await api.apply(CONFIG_MAPS, withName(namespace, 'one', { a: '3' }), FORCE, NEVER);
  expect(again.metadata.resourceVersion).toBe(resourceVersion);
});

test('to create an object that exists, or replace an object that has changed, is a conflict, and a delete is for one UID', async () => {
  const api = bed.api();
  const namespace = await bed.newNamespace();
  const first = await api.create(CONFIG_MAPS, withName(namespace, 'one'), NEVER);
  const object = withName(namespace, 'one');
  await expect(api.create(CONFIG_MAPS, object, NEVER)).rejects.toMatchObject({
    status: 409,
    reason: 'AlreadyExists',
  });
  await api.replace(CONFIG_MAPS, { ...first, data: { a: '1' } }, NEVER);
  await expect(api.replace(CONFIG_MAPS, { ...first, data: { a: '2' } }, NEVER)).rejects.toMatchObject({
    status: 409,
    reason: 'Conflict',
  });
  const name = { resource: CONFIG_MAPS, namespace, name: 'one' };
  await api.delete(name, 'another-uid', NEVER);
  expect(await api.get(name, NEVER)).toBeDefined();
  await api.delete(name, first.metadata.uid, NEVER);
  expect(await api.get(name, NEVER)).toBeUndefined();
  await api.delete(name, first.metadata.uid, NEVER);
});

test('the status of a store is applied apart from its spec, and a refusal by the schema has a message', async () => {
  const api = bed.api();
  const namespace = await bed.newNamespace();
  const unknown = { resource: LARGE_PAYLOAD_STORES, namespace, name: 'main' };
  await expect(api.get(unknown, NEVER)).rejects.toThrow(/is its CustomResourceDefinition installed/);
  await applyCrd(api);
  const created = await api.create(LARGE_PAYLOAD_STORES, store(namespace, 'main'), NEVER);
  const { apiVersion, kind } = created;
  const status = { observedGeneration: 1, endpoint: 'http://main-gateway.shop.svc:8577' };
  await api.applyStatus(
    LARGE_PAYLOAD_STORES,
    { apiVersion, kind, metadata: { namespace, name: 'main' }, status },
    NEVER,
  );
  const after = await api.get(unknown, NEVER);
  expect(after?.status).toMatchObject(status);
  expect(after?.spec).toEqual(created.spec);
  expect(after?.metadata.generation).toBe(1);
  const bad = { ...store(namespace, 'bad'), spec: { storage: {}, retention: { ttl: '1.5d' } } };
  await expect(api.create(LARGE_PAYLOAD_STORES, bad, NEVER)).rejects.toMatchObject({
    ...{ status: 422, reason: 'Invalid' },
    message: expect.stringMatching(/create largepayloadstores test-\w+\/bad: .*spec/),
  });
});

test('a list of 1,200 objects comes in pages of one state, and a label selects among them', async () => {
  const api = bed.api();
  const namespace = await bed.newNamespace();
  const names = Array.from({ length: 1_200 }, (_, n) => `n${n}`);
  for (let n = 0; n < names.length; n += 100) {
    const some = names.slice(n, n + 100).map((name) => withName(namespace, name));
    await Promise.all(some.map((object) => api.create(CONFIG_MAPS, object, NEVER)));
  }
  const labelled = {
    ...withName(namespace, 'labelled'),
    metadata: { namespace, name: 'labelled', labels: { a: 'b' } },
  };
  await api.create(CONFIG_MAPS, labelled, NEVER);
  const selection = { resource: CONFIG_MAPS, namespace };
  const found = new Set<string>();
  const versions = new Set<string>();
  let from: string | undefined;
  let pages = 0;
  do {
    const page = await api.list(selection, { limit: 500, continue: from }, NEVER);
    for (const { metadata } of page.items) found.add(metadata.name);
    versions.add(page.resourceVersion);
    from = page.continue;
    pages += 1;
    await api.apply(CONFIG_MAPS, withName(namespace, 'meanwhile', { page: `${pages}` }), FORCE, NEVER);
  } while (from !== undefined);
  expect([found.size, pages, versions.size]).toEqual([1_201, 3, 1]);
  const some = await api.list({ ...selection, labelSelector: 'a=b' }, { limit: 500 }, NEVER);
  expect(some.items.map(({ kind, metadata }) => [kind, metadata.name])).toEqual([['ConfigMap', 'labelled']]);
});

test('a watch delivers an object of 1 MB, or its metadata alone, and ends in order with a bookmark', async () => {
  const api = bed.api();
  const namespace = await bed.newNamespace();
  const { resourceVersion } = await api.list({ resource: CONFIG_MAPS, namespace }, { limit: 1 }, NEVER);
  const watchFor = async (metadataOnly: boolean) => {
    const events: WatchEvent[] = [];
    const selection = { resource: CONFIG_MAPS, namespace, metadataOnly };
    const from = { resourceVersion, timeoutSeconds: 5 };
    for await (const event of api.watch(selection, from, NEVER)) events.push(event);
    return events;
  };
  const text = 'ü'.repeat(500_000);
  const watching = Promise.all([watchFor(false), watchFor(true)]);
  await api.apply(CONFIG_MAPS, withName(namespace, 'huge', { text }), FORCE, NEVER);
  await api.delete({ resource: CONFIG_MAPS, namespace, name: 'huge' }, undefined, NEVER);
  for (const events of await watching) {
    const types = events.map(({ type }) => type);
    expect(types.slice(0, 3)).toEqual(['ADDED', 'DELETED', 'BOOKMARK']);
    expect(events[0]?.object).toMatchObject({ apiVersion: 'v1', kind: 'ConfigMap' });
  }
  const [[whole], [metadata]] = (await watching) as [WatchEvent[], WatchEvent[]];
  expect(whole?.object.data).toEqual({ text });
  expect(metadata?.object).not.toHaveProperty('data');
});

test('fields that this version does not know pass through', async () => {
  const api = bed.api();
  const namespace = await bed.newNamespace();
  const spec = { ports: [{ port: 80 }], trafficDistribution: 'PreferClose', internalTrafficPolicy: 'Local' };
  const service = { apiVersion: 'v1', kind: 'Service', metadata: { namespace, name: 'one' }, spec };
  const applied = await api.apply(SERVICES, service, FORCE, NEVER);
  expect(applied.spec).toMatchObject({ trafficDistribution: 'PreferClose', internalTrafficPolicy: 'Local' });
});
