import { eventually } from '@largepayload/testing/waiting/eventually';
import { beforeAll, expect, test } from 'vitest';
import type { KubernetesApi, KubernetesObject } from '../../kubernetes/api.ts';
import { apiBed, applyCrd, NEVER, store } from '../../kubernetes/api-server.fixture.ts';
import { EVENTS, LARGE_PAYLOAD_STORES, PODS } from '../../kubernetes/resources.ts';
import { injected, label, runWorkers, untilReported, workerPod } from '../workers/workers.fixture.ts';
import { FakeReplicaSets } from './fake-replica-sets.fixture.ts';

const bed = apiBed();
let api: KubernetesApi;
beforeAll(async () => {
  api = bed.api();
  await applyCrd(api);
});

async function namespaceWithStore(): Promise<string> {
  const namespace = await bed.newNamespace();
  await api.create(LARGE_PAYLOAD_STORES, store(namespace, 'orders'), NEVER);
  await label(api, namespace, 'orders');
  return namespace;
}

const inject = (pod: KubernetesObject) =>
  injected(pod, { name: 'orders', namespace: pod.metadata.namespace ?? '' });

test('a missed pod of another namespace that names the same owner does not keep its pods from being healed', async () => {
  const namespace = await namespaceWithStore();
  const copycat = await namespaceWithStore();
  await using sets = await FakeReplicaSets.start({ api, namespace, owners: 1, replicas: 3 });
  sets.makeNew = inject;
  sets.isStarting = false;
  const name = sets.names()[0] ?? '';
  const found = await api.get({ resource: PODS, namespace, name }, NEVER);
  const operator = runWorkers(bed.api(), { injection: { evictMissed: 'All' } });
  try {
    // It waits now for the new pod to be ready.
    await eventually('a pod is healed', () => sets.count(({ isInjected }) => isInjected) === 1);
    const metadata = { ownerReferences: found?.metadata.ownerReferences };
    await api.create(PODS, workerPod(copycat, 'copy', metadata), NEVER);
    await untilReported(api, [copycat, 'orders'], 'PodsMissed', { missed: 1 });
    sets.isStarting = true;
    await sets.startAll();
    await untilReported(api, [namespace, 'orders'], 'AllInjected', { injected: 3, missed: 0 });
  } finally {
    await operator.stop();
  }
});

test('forged Events of evictions, also of times to come, do not keep pods of other namespaces from being healed', async () => {
  const namespace = await namespaceWithStore();
  const copycat = await bed.newNamespace();
  await using sets = await FakeReplicaSets.start({ api, namespace, owners: 1, replicas: 1 });
  sets.makeNew = inject;
  const [name = ''] = sets.names();
  const found = await api.get({ resource: PODS, namespace, name }, NEVER);
  const uid = found?.metadata.ownerReferences?.[0]?.uid;
  const forged = (index: number) => ({
    ...{ apiVersion: 'events.k8s.io/v1', kind: 'Event', metadata: { namespace: copycat, name: `e${index}` } },
    ...{
      eventTime: index % 2 ? '8000-01-01T00:00:00.000000Z' : new Date().toISOString().replace('Z', '000Z'),
    },
    ...{ reportingController: 'largepayload.dev/operator', reportingInstance: 'x', type: 'Normal' },
    ...{ reason: 'EvictedForSidecar', action: 'Evict', note: 'x' },
    regarding: { apiVersion: 'v1', kind: 'Pod', namespace: copycat, name: `p${index}` },
    related: { apiVersion: 'apps/v1', kind: 'ReplicaSet', namespace, uid: index ? `${index}` : uid },
  });
  for (let index = 0; index < 22; index += 1) await api.create(EVENTS, forged(index), NEVER);
  const operator = runWorkers(bed.api(), { injection: { evictMissed: 'All' } });
  try {
    await untilReported(api, [namespace, 'orders'], 'AllInjected', { injected: 1, missed: 0 });
    expect(sets.names()).not.toContain(name);
  } finally {
    await operator.stop();
  }
});
