import type { ServerResponse } from 'node:http';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { expect, test } from 'vitest';
import type { KubernetesObject } from '../../kubernetes/api.ts';
import { HttpApi } from '../../kubernetes/http-api.ts';
import {
  type Asked,
  answer,
  line,
  refuse,
  scriptedServer,
} from '../../kubernetes/scripted-server.fixture.ts';
import { storeOf } from '../../reconcile/scripted-cluster.fixture.ts';
import { StoreView } from '../store-view.ts';
import { WorkerPods } from './worker-pods.ts';

const LABEL = 'largepayload.dev/inject';
const SETTINGS = { image: 'i', imagePullPolicy: 'Never', imagePullSecrets: [], runAsUser: 1, version: '1' };

let version = 10;
function pod(
  name: string,
  fields: { uid?: string; namespace?: string; store?: string } = {},
): KubernetesObject {
  const { uid = name, namespace = 'shop', store } = fields;
  version += 1;
  return {
    ...{ apiVersion: 'v1', kind: 'Pod' },
    metadata: {
      ...{ namespace, name, uid, resourceVersion: `${version}`, creationTimestamp: '2026-01-01T00:00:00Z' },
      ...(store !== undefined && { labels: { [LABEL]: store } }),
    },
    spec: { containers: [{ name: 'worker' }] },
  };
}

type Answer = (asked: Asked, response: ServerResponse) => void;

/** Worker pods of an API server with the stores `shop/orders` and `shop/images`, and the label `orders` at the namespace `shop`. */
async function bed(pods: readonly KubernetesObject[], onRead?: Answer) {
  const labelled = { metadata: { name: 'shop', resourceVersion: '1', labels: { [LABEL]: 'orders' } } };
  const lists: Record<string, readonly unknown[]> = {
    '/api/v1/pods': pods,
    '/api/v1/namespaces': [labelled],
    '/apis/largepayload.dev/v1alpha1/largepayloadstores': [storeOf('orders'), storeOf('images')],
  };
  const watches = new Map<string, ServerResponse>();
  const reads: string[] = [];
  const server = await scriptedServer((asked, response) => {
    const { path, query } = asked;
    if (query.has('watch')) {
      watches.set(path, response);
      return response.write('\n');
    }
    const list = lists[path];
    if (list !== undefined) return answer(response, 200, { metadata: { resourceVersion: '1' }, items: list });
    reads.push(path.replace('/api/v1/namespaces/', ''));
    if (onRead !== undefined) return onRead(asked, response);
    return answerRead(pods)(asked, response);
  });
  const failures: string[] = [];
  const onFailure = ({ message }: Error) => failures.push(message);
  const api = new HttpApi(server.access, { userAgent: 'test' });
  const stores = new StoreView({ api, namespaces: true, onFailure });
  const workers = new WorkerPods({ api, stores, settings: SETTINGS, namespace: 'operators', onFailure });
  const stop = new AbortController();
  const running = Promise.all([stores.run(stop.signal), workers.run(stop.signal)]);
  const change = async (type: 'ADDED' | 'MODIFIED' | 'DELETED', object: KubernetesObject) => {
    await eventually('pods are watched', () => watches.has('/api/v1/pods'));
    watches.get('/api/v1/pods')?.write(line(type, object));
  };
  const names = (store: string) => [...workers.of(store)].map(([key]) => key).sort();
  return {
    ...{ workers, reads, failures, names, change },
    async [Symbol.asyncDispose]() {
      stop.abort(new Error('the test is over'));
      await running;
      await server[Symbol.asyncDispose]();
    },
  };
}

/** Answers by the pods as they are there. */
function answerRead(pods: readonly KubernetesObject[]): Answer {
  return ({ path }, response) => {
    const [, , , , namespace, , name] = path.split('/');
    const found = pods.filter(({ metadata }) => metadata.namespace === namespace);
    if (name === undefined)
      return answer(response, 200, { metadata: { resourceVersion: '1' }, items: found });
    const one = found.find(({ metadata }) => metadata.name === name);
    return one ? answer(response, 200, one) : refuse(response, 404, 'NotFound');
  };
}

test('only pods in scope are read, each once, and many of a namespace by one list', async () => {
  const many = Array.from({ length: 40 }, (_, index) =>
    pod(`many-${index}`, { store: 'orders.shop', namespace: 'many' }),
  );
  const others = [
    pod('other', { namespace: 'elsewhere' }),
    pod('system', { namespace: 'kube-system', store: 'orders.shop' }),
  ];
  await using view = await bed([
    pod('a'),
    pod('b', { store: 'images' }),
    pod('c', { store: 'false' }),
    ...many,
    ...others,
  ]);
  await view.workers.firstRead;
  expect(view.reads.sort()).toEqual(['many/pods', 'shop/pods/a', 'shop/pods/b']);
  expect(view.names('shop/orders')).toEqual(
    [...many.map(({ metadata }) => `many/${metadata.name}`), 'shop/a'].sort(),
  );
  expect(view.names('shop/images')).toEqual(['shop/b']);
});

test('a pod that cannot be read is tried again, and others wait for nothing', async () => {
  let isAway = true;
  const pods = [pod('a'), pod('b', { namespace: 'other', store: 'orders.shop' })];
  await using view = await bed(pods, (asked, response) => {
    if (isAway && asked.path.includes('/shop/')) return refuse(response, 500, 'InternalError');
    return answerRead(pods)(asked, response);
  });
  await eventually('the other is read', () => view.names('shop/orders').length === 1);
  await eventually('the failure is reported', () => view.failures.length > 0);
  isAway = false;
  await eventually('both are read', () => view.names('shop/orders').length === 2);
});

test('what happens to a pod while it is read is not lost', async () => {
  const held: (() => void)[] = [];
  const pods = [pod('relabelled'), pod('deleted'), pod('replaced', { uid: 'old' })];
  let isHeld = true;
  const now = [...pods];
  await using view = await bed(pods, (asked, response) => {
    if (isHeld) held.push(() => answerRead(pods)(asked, response));
    else answerRead(now)(asked, response);
  });
  await eventually('all are being read', () => held.length === 3);
  isHeld = false;
  now.splice(0, 3, pod('relabelled', { store: 'images' }), pod('replaced', { uid: 'new' }));
  await view.change('MODIFIED', now[0] as KubernetesObject);
  await view.change('DELETED', pods[1] as KubernetesObject);
  await view.change('MODIFIED', now[1] as KubernetesObject);
  // Changes are seen in their order.
  const last = pod('last', { namespace: 'other', store: 'orders.shop' });
  now.push(last);
  await view.change('ADDED', last);
  await eventually('all changes are seen', () => view.names('shop/orders').includes('other/last'));
  for (const release of held) release();
  await eventually('the new pods are read', () => {
    const replaced = [...view.workers.of('shop/orders')].find(([key]) => key === 'shop/replaced');
    return view.names('shop/images').length === 1 && replaced?.[1].uid === 'new';
  });
  expect(view.names('shop/orders')).toEqual(['other/last', 'shop/replaced']);
  expect(view.names('shop/images')).toEqual(['shop/relabelled']);
});

test('a pod that is ending, or leaves the scope, is forgotten', async () => {
  const pods = [pod('a'), pod('b')];
  await using view = await bed(pods);
  await view.workers.firstRead;
  const ending = pod('a');
  await view.change('MODIFIED', {
    ...ending,
    metadata: { ...ending.metadata, deletionTimestamp: '2026-01-01T00:00:00Z' },
  });
  await view.change('MODIFIED', pod('b', { store: 'false' }));
  await eventually('both are forgotten', () => view.names('shop/orders').length === 0);
});
