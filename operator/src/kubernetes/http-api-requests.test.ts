import { expect, test, vi } from 'vitest';
import type { WatchEvent } from './api.ts';
import { apiOf, failureOf, NAME, NEVER } from './http-api.fixture.ts';
import { HttpApi } from './http-api.ts';
import { configMap } from './objects.fixture.ts';
import { CONFIG_MAPS, DEPLOYMENTS, LARGE_PAYLOAD_STORES, PODS } from './resources.ts';
import { answer, line, refuse, scriptedServer } from './scripted-server.fixture.ts';

const START = { resourceVersion: '7', timeoutSeconds: 300 };

test('a list asks by selectors, limit and token, and gives its items the kind that they lack', async () => {
  await using bed = await apiOf((_, response) =>
    answer(response, 200, {
      metadata: { resourceVersion: '12', continue: 'next' },
      items: [{ metadata: { namespace: 'shop', name: 'one' }, spec: { unknownField: [1] } }],
    }),
  );
  const selection = {
    resource: DEPLOYMENTS,
    namespace: 'shop',
    labelSelector: 'a=b,c',
    fieldSelector: 'x=y',
  };
  const page = await bed.api.list(selection, { limit: 5, continue: 'a token' }, NEVER);
  expect(page).toEqual({
    items: [
      {
        ...{ apiVersion: 'apps/v1', kind: 'Deployment', spec: { unknownField: [1] } },
        metadata: { namespace: 'shop', name: 'one' },
      },
    ],
    resourceVersion: '12',
    continue: 'next',
  });
  const [asked] = bed.server.asked;
  expect(asked?.path).toBe('/apis/apps/v1/namespaces/shop/deployments');
  expect(Object.fromEntries(asked?.query ?? [])).toEqual({
    ...{ labelSelector: 'a=b,c', fieldSelector: 'x=y', limit: '5', continue: 'a token' },
  });
  expect(asked?.headers).toMatchObject({
    accept: 'application/json',
    'user-agent': 'large-payload-operator/1.2.3',
  });
  expect(bed.outcomes).toMatchObject([{ verb: 'list', resource: 'deployments', status: 200 }]);
});

test('a request for metadata alone has an Accept header, and its objects keep their kind', async () => {
  const partial = { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: { name: 'one' } };
  await using bed = await apiOf(({ query }, response) => {
    if (query.has('watch')) response.end(line('ADDED', partial));
    else answer(response, 200, { metadata: { resourceVersion: '1' }, items: [partial] });
  });
  const selection = { resource: PODS, metadataOnly: true };
  const { items } = await bed.api.list(selection, { limit: 5 }, NEVER);
  const events: WatchEvent[] = [];
  for await (const event of bed.api.watch(selection, START, NEVER)) events.push(event);
  for (const object of [items[0], events[0]?.object]) {
    expect(object).toMatchObject({ apiVersion: 'v1', kind: 'Pod' });
  }
  expect(bed.server.asked.map(({ path, headers }) => [path, headers.accept])).toEqual([
    ['/api/v1/pods', 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json'],
    ['/api/v1/pods', 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1,application/json'],
  ]);
});

test('each call that writes sends the request that the API server knows', async () => {
  await using bed = await apiOf(({ body }, response) => answer(response, 200, JSON.parse(body)));
  const object = configMap('one', '3', { text: 'ü' });
  expect(await bed.api.apply(CONFIG_MAPS, object, { force: false }, NEVER)).toEqual(object);
  await bed.api.apply(CONFIG_MAPS, object, { force: true }, NEVER);
  await bed.api.applyStatus(LARGE_PAYLOAD_STORES, object, NEVER);
  await bed.api.create(CONFIG_MAPS, object, NEVER);
  await bed.api.replace(CONFIG_MAPS, object, NEVER);
  await bed.api.delete(NAME, 'u-1', NEVER);
  await bed.api.evict({ namespace: 'shop', name: 'worker-1' }, 'u-2', NEVER);
  const seen = bed.server.asked.map(({ method, path, query, headers }) =>
    [method, `${path}?${query}`, headers['content-type']].join(' '),
  );
  const collection = '/api/v1/namespaces/shop/configmaps';
  const manager = 'fieldManager=large-payload-operator';
  expect(seen).toEqual([
    `PATCH ${collection}/one?${manager}&force=false application/apply-patch+yaml`,
    `PATCH ${collection}/one?${manager}&force=true application/apply-patch+yaml`,
    `PATCH /apis/largepayload.dev/v1alpha1/namespaces/shop/largepayloadstores/one/status?${manager}&force=true application/apply-patch+yaml`,
    `POST ${collection}?${manager} application/json`,
    `PUT ${collection}/one?${manager} application/json`,
    `DELETE ${collection}/one? application/json`,
    'POST /api/v1/namespaces/shop/pods/worker-1/eviction? application/json',
  ]);
  expect(JSON.parse(bed.server.asked[5]?.body ?? '')).toMatchObject({
    propagationPolicy: 'Background',
    preconditions: { uid: 'u-1' },
  });
  expect(JSON.parse(bed.server.asked[6]?.body ?? '')).toEqual({
    ...{ apiVersion: 'policy/v1', kind: 'Eviction', metadata: { namespace: 'shop', name: 'worker-1' } },
    deleteOptions: { preconditions: { uid: 'u-2' } },
  });
  expect(bed.outcomes.map(({ verb }) => verb)).toEqual([
    'apply',
    'apply',
    'applyStatus',
    'create',
    'replace',
    'delete',
    'evict',
  ]);
});

test('successive calls share a connection, and leave no listener on their signal', async () => {
  const { Agent } = await import('node:http');
  const agent = new Agent({ keepAlive: true });
  await using server = await scriptedServer((_, response) => answer(response, 200, configMap('one', '1')));
  const access = { ...server.access, options: async () => ({ agent }) };
  const api = new HttpApi(access, { userAgent: 'test' });
  const controller = new AbortController();
  const added = vi.spyOn(controller.signal, 'addEventListener');
  const removed = vi.spyOn(controller.signal, 'removeEventListener');
  for (let n = 0; n < 20; n += 1) await api.get(NAME, controller.signal);
  expect(server.connections).toBe(1);
  expect(added.mock.calls.length).toBeGreaterThan(0);
  expect(removed.mock.calls.length).toBe(added.mock.calls.length);
  agent.destroy();
});

test('an object is missing only where the API server itself answers 404', async () => {
  await using bed = await apiOf(({ query, method }, response) => {
    if (method === 'DELETE' || !query.has('x')) refuse(response, 404, 'NotFound');
  });
  expect(await bed.api.get(NAME, NEVER)).toBeUndefined();
  expect(await bed.api.delete(NAME, undefined, NEVER)).toBeUndefined();
  await using proxy = await apiOf((_, response) => response.writeHead(404).end('<html>  not   here </html>'));
  const failure = await failureOf(proxy.api.get(NAME, NEVER));
  expect(failure).toMatchObject({ status: 404, reason: '' });
  expect(failure.message).toMatch(/get configmaps shop\/one: .*CustomResourceDefinition installed/);
});

test('a pod that has gone counts as evicted, and one that a budget protects does not', async () => {
  const pod = { namespace: 'shop', name: 'worker-1' };
  await using gone = await apiOf((_, response) => refuse(response, 404, 'NotFound'));
  expect(await gone.api.evict(pod, 'u-1', NEVER)).toBeUndefined();
  await using kept = await apiOf((_, response) => refuse(response, 429, 'TooManyRequests'));
  expect(await failureOf(kept.api.evict(pod, 'u-1', NEVER))).toMatchObject({
    ...{ status: 429, reason: 'TooManyRequests' },
    message: expect.stringMatching(/^evict pods shop\/worker-1: /),
  });
});

test('an object of another UID is not deleted, and that is no failure', async () => {
  const bedWith = (uid: string) =>
    apiOf(({ method }, response) => {
      if (method === 'DELETE') refuse(response, 409, 'Conflict');
      else answer(response, 200, { ...configMap('one', '1'), metadata: { uid } });
    });
  await using replaced = await bedWith('u-2');
  expect(await replaced.api.delete(NAME, 'u-1', NEVER)).toBeUndefined();
  await using same = await bedWith('u-1');
  expect(await failureOf(same.api.delete(NAME, 'u-1', NEVER))).toMatchObject({ status: 409 });
});
