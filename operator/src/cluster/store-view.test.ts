import { eventually } from '@largepayload/testing/waiting/eventually';
import { expect, test } from 'vitest';
import { selectStore } from '../injection/selection.ts';
import type { KubernetesObject } from '../kubernetes/api.ts';
import { HttpApi } from '../kubernetes/http-api.ts';
import { answer, scriptedServer } from '../kubernetes/scripted-server.fixture.ts';
import { storeOf } from '../reconcile/scripted-cluster.fixture.ts';
import { ClusterView } from './cluster-view.ts';
import { mapNamespace } from './namespace.ts';
import { StoreView } from './store-view.ts';
import { mapSeenPod } from './workers/seen-pod.ts';

const LABEL = 'largepayload.dev/inject';
const namespace = (metadata: object): KubernetesObject => ({
  ...{ apiVersion: 'v1', kind: 'Namespace' },
  metadata: { name: 'billing', creationTimestamp: '2026-01-01T00:00:00Z', ...metadata },
});
const wroteLabel = (time: string, field = `f:${LABEL}`) => ({
  ...{ manager: time, time },
  fieldsV1: { 'f:metadata': { 'f:labels': { [field]: {} } } },
});

test('of a namespace only what selects a store is kept, and the last time at which that may have been written', () => {
  const metadata = {
    labels: { [LABEL]: 'documents', team: 'billing' },
    annotations: { 'largepayload.dev/store': 'documents.orders', note: 'x'.repeat(1_000) },
    managedFields: [
      wroteLabel('2026-01-03T00:00:00Z'),
      wroteLabel('2026-01-02T00:00:00Z'),
      wroteLabel('2026-01-04T00:00:00Z', 'f:team'),
    ],
  };
  expect(mapNamespace(namespace(metadata))).toEqual({
    labels: { [LABEL]: 'documents' },
    annotations: { 'largepayload.dev/store': 'documents.orders' },
    createdAt: Date.UTC(2026, 0, 1),
    labelledAt: Date.UTC(2026, 0, 3),
  });
});

test('a namespace without our label, or with fields of wrong types, has nothing that selects a store', () => {
  const nothing = { labels: {}, annotations: {}, createdAt: Date.UTC(2026, 0, 1) };
  expect(mapNamespace(namespace({}))).toEqual(nothing);
  const wrong = { labels: { [LABEL]: 5 }, annotations: 'x', managedFields: [null, { fieldsV1: 'x' }] };
  expect(mapNamespace(namespace(wrong))).toEqual(nothing);
  expect(mapNamespace(namespace({ labels: { [LABEL]: '' } })).labels).toEqual({ [LABEL]: '' });
});

test.each([
  ['namespace', (given: KubernetesObject) => mapNamespace(given)],
  ['pod', (given: KubernetesObject) => mapSeenPod(given)],
])('of a %s with an endless annotation little is kept, and it still names no store', (_what, map) => {
  const annotations = { 'largepayload.dev/store': 'a'.repeat(250_000) };
  const kept = map(namespace({ labels: { [LABEL]: 'true' }, annotations }));
  expect(JSON.stringify(kept).length).toBeLessThan(1_000);
  expect(selectStore({}, { ...kept, namespace: 'billing' })).toMatchObject({ kind: 'invalid' });
});

test('stores that were seen before a replica leads are changes for what it then begins', async () => {
  const items: Record<string, KubernetesObject[]> = {
    largepayloadstores: [storeOf('orders')],
    namespaces: [namespace({ labels: { [LABEL]: 'orders.shop' } })],
  };
  await using server = await scriptedServer(({ path, query }, response) => {
    const plural = path.split('/').at(-1) ?? '';
    if (query.has('watch')) return response.write('\n');
    return answer(response, 200, { metadata: { resourceVersion: '1' }, items: items[plural] ?? [] });
  });
  const api = new HttpApi(server.access, { userAgent: 'test' });
  const onFailure = () => {};
  const stores = new StoreView({ api, namespaces: true, onFailure });
  const cluster = new ClusterView({ api, stores, onFailure });
  expect(stores.isSynced).toBe(false);
  const end = new AbortController();
  const running = [stores.run(end.signal)];
  await stores.synced;
  expect(stores.missing).toBeUndefined();
  expect(stores.store('shop/orders')?.name).toBe('orders');
  expect(stores.namespace('billing')?.labels).toEqual({ [LABEL]: 'orders.shop' });
  expect(cluster.missing).toBe('the cluster is still being read');
  const changed = new Set<string>();
  cluster.onChange((store) => changed.add(store));
  running.push(cluster.run(end.signal));
  await cluster.synced;
  await eventually('the store is named', () => changed.has('shop/orders'));
  expect(cluster.missing).toBeUndefined();
  end.abort();
  await Promise.all(running);
});
