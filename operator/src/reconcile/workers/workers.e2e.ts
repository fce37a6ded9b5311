import { at } from '@largepayload/crds';
import { eventualValue } from '@largepayload/testing/waiting/eventually';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { KubernetesApi } from '../../kubernetes/api.ts';
import { apiBed, applyCrd, NEVER, store } from '../../kubernetes/api-server.fixture.ts';
import { DEPLOYMENTS, EVENTS, LARGE_PAYLOAD_STORES, PODS } from '../../kubernetes/resources.ts';
import {
  injected,
  label,
  type RunningWorkers,
  replicaSet,
  reported,
  runWorkers,
  setPhase,
  untilReported,
  workerPod,
} from './workers.fixture.ts';

const bed = apiBed();
let api: KubernetesApi;
let running: RunningWorkers;
beforeAll(async () => {
  api = bed.api();
  await applyCrd(api);
  running = runWorkers(bed.api());
});
afterAll(() => running.stop());

/** A namespace with a store, and the label that selects it. */
async function labelled(name = 'orders'): Promise<string> {
  const namespace = await bed.newNamespace();
  await api.create(LARGE_PAYLOAD_STORES, store(namespace, name), NEVER);
  await label(api, namespace, name);
  return namespace;
}

test.concurrent('pods of before the label are missed until they are made anew, and named with the command for that', async () => {
  const namespace = await bed.newNamespace();
  await api.create(LARGE_PAYLOAD_STORES, store(namespace, 'orders'), NEVER);
  const begin = `kubectl label namespace ${namespace} largepayload.dev/inject=orders`;
  expect((await untilReported(api, [namespace, 'orders'], 'NoPods')).message).toContain(begin);
  const owner = replicaSet('worker-7d9f');
  const metadata = { labels: { 'pod-template-hash': '7d9f' }, ownerReferences: [owner] };
  const pod = workerPod(namespace, 'worker-7d9f-a', metadata);
  await api.create(PODS, pod, NEVER);
  await label(api, namespace, 'orders');
  const { message } = await untilReported(api, [namespace, 'orders'], 'PodsMissed', { missed: 1 });
  expect(message).toBe(
    `1 pod without a sidecar of the store: ${namespace}/worker-7d9f-a (it has no sidecar; kubectl -n ${namespace} rollout restart deployment/worker)`,
  );
  await api.delete({ resource: PODS, namespace, name: 'worker-7d9f-a' }, undefined, NEVER);
  const anew = workerPod(namespace, 'worker-7d9f-b', metadata);
  await api.create(PODS, injected(anew, { name: 'orders', namespace }), NEVER);
  await untilReported(api, [namespace, 'orders'], 'AllInjected', { injected: 1, missed: 0 });
});

test.concurrent('the label of a pod wins over that of its namespace, and "false" takes it out of scope', async () => {
  const namespace = await labelled();
  await api.create(LARGE_PAYLOAD_STORES, store(namespace, 'images'), NEVER);
  const create = (name: string, value?: string) => {
    const labels = value === undefined ? {} : { 'largepayload.dev/inject': value };
    return api.create(PODS, workerPod(namespace, name, { labels }), NEVER);
  };
  await create('a');
  await create('b', 'images');
  await create('c', 'false');
  await untilReported(api, [namespace, 'orders'], 'PodsMissed', { missed: 1 });
  await untilReported(api, [namespace, 'images'], 'PodsMissed', { missed: 1 });
  // The label of the namespace goes, and only the pod with a label of its own stays.
  await label(api, namespace, 'false');
  await untilReported(api, [namespace, 'orders'], 'NoPods', { missed: 0 });
  expect((await reported(api, namespace, 'images')).pods).toMatchObject({ missed: 1 });
});

test.concurrent('pods that have finished, are skipped on purpose, or belong to a store do not count', async () => {
  const namespace = await labelled();
  const finished = await api.create(PODS, workerPod(namespace, 'finished'), NEVER);
  const running = await api.create(PODS, workerPod(namespace, 'running'), NEVER);
  const onHost = workerPod(namespace, 'on-host');
  await api.create(PODS, { ...onHost, spec: { ...(onHost.spec as object), hostNetwork: true } }, NEVER);
  const labels = { 'app.kubernetes.io/managed-by': 'large-payload-operator' };
  await api.create(PODS, workerPod(namespace, 'gateway', { labels }), NEVER);
  await untilReported(api, [namespace, 'orders'], 'PodsMissed', { missed: 2 });
  await setPhase(api, finished, 'Succeeded');
  await untilReported(api, [namespace, 'orders'], 'PodsMissed', { missed: 1 });
  await setPhase(api, running, 'Failed');
  await untilReported(api, [namespace, 'orders'], 'NoPods', { injected: 0, missed: 0, outdated: 0 });
});

test.concurrent('a sidecar of an earlier specification is outdated once that changes', async () => {
  const namespace = await labelled();
  await api.create(PODS, injected(workerPod(namespace, 'a'), { name: 'orders', namespace }), NEVER);
  await untilReported(api, [namespace, 'orders'], 'AllInjected', { injected: 1 });
  const spec = { ...(store(namespace, 'orders').spec as object), thresholdSize: '64Ki' };
  await api.apply(LARGE_PAYLOAD_STORES, { ...store(namespace, 'orders'), spec }, { force: true }, NEVER);
  await untilReported(api, [namespace, 'orders'], 'PodsOutdated', { injected: 0, outdated: 1 });
});

test.concurrent('a pod of a namespace that the store does not allow gets an Event, and no place in its status', async () => {
  const namespace = await labelled();
  const foreign = await bed.newNamespace();
  await label(api, foreign, `orders.${namespace}`);
  const pod = await api.create(PODS, workerPod(foreign, 'a'), NEVER);
  const event = await eventualValue(async () => {
    const { items } = await api.list({ resource: EVENTS, namespace: foreign }, { limit: 10 }, NEVER);
    return items.find(({ regarding }) => at(regarding, 'uid') === pod.metadata.uid);
  }, 30_000);
  expect(event).toMatchObject({ type: 'Warning', reason: 'NotInjected' });
  expect(event.note).toContain('spec.allowedNamespaces');
  expect((await untilReported(api, [namespace, 'orders'], 'NoPods')).pods).toMatchObject({ missed: 0 });
  const spec = { ...(store(namespace, 'orders').spec as object), allowedNamespaces: [foreign] };
  await api.apply(LARGE_PAYLOAD_STORES, { ...store(namespace, 'orders'), spec }, { force: true }, NEVER);
  await untilReported(api, [namespace, 'orders'], 'PodsMissed', { missed: 1 });
});

test.concurrent('a pod waits for its store, and is reported by it once it is there', async () => {
  const namespace = await bed.newNamespace();
  await label(api, namespace, 'later');
  const pod = await api.create(PODS, workerPod(namespace, 'a'), NEVER);
  await eventualValue(async () => {
    const { items } = await api.list({ resource: EVENTS, namespace }, { limit: 10 }, NEVER);
    return items.find(({ regarding }) => at(regarding, 'uid') === pod.metadata.uid);
  }, 30_000);
  await api.create(LARGE_PAYLOAD_STORES, store(namespace, 'later'), NEVER);
  await untilReported(api, [namespace, 'later'], 'PodsMissed', { missed: 1 });
});

test.concurrent('many pods that are made at once are counted together, in few writes', async () => {
  const namespace = await labelled();
  await untilReported(api, [namespace, 'orders'], 'NoPods');
  const generation = async () =>
    Number(
      (await api.get({ resource: LARGE_PAYLOAD_STORES, namespace, name: 'orders' }, NEVER))?.metadata
        .resourceVersion,
    );
  let writes = 0;
  let before = await generation();
  const watching = setInterval(async () => {
    const now = await generation();
    if (now !== before) writes += 1;
    before = now;
  }, 100);
  const names = Array.from({ length: 120 }, (_, index) => `worker-${index}`);
  await Promise.all(names.map((name) => api.create(PODS, workerPod(namespace, name), NEVER)));
  const { message } = await untilReported(api, [namespace, 'orders'], 'PodsMissed', { missed: 120 });
  clearInterval(watching);
  expect(message).toMatch(/^120 pods without .*, and 117 more$/);
  expect(writes).toBeLessThan(20);
  const text = await running.metrics.registry.metrics();
  expect(text).toMatch(/large_payload_operator_worker_pods\{state="missed"\} \d{3}/);
});

test.concurrent('the label of a namespace leaves the pod template of a Deployment as it is', async () => {
  const namespace = await bed.newNamespace();
  const template = { metadata: { labels: { app: 'worker' } }, spec: workerPod(namespace, 'x').spec };
  const object = {
    ...{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { namespace, name: 'worker' } },
    spec: { selector: { matchLabels: { app: 'worker' } }, template },
  };
  const made = await api.create(DEPLOYMENTS, object, NEVER);
  await api.create(LARGE_PAYLOAD_STORES, store(namespace, 'orders'), NEVER);
  await label(api, namespace, 'orders');
  await untilReported(api, [namespace, 'orders'], 'NoPods');
  const found = await api.get({ resource: DEPLOYMENTS, namespace, name: 'worker' }, NEVER);
  expect(found?.metadata.generation).toBe(made.metadata.generation);
  expect(found?.spec).toEqual(made.spec);
});
