import { at } from '@largepayload/crds';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { beforeAll, expect, test } from 'vitest';
import type { KubernetesApi, KubernetesObject } from '../../kubernetes/api.ts';
import { apiBed, applyCrd, NEVER, store } from '../../kubernetes/api-server.fixture.ts';
import { EVENTS, LARGE_PAYLOAD_STORES } from '../../kubernetes/resources.ts';
import {
  injected,
  label,
  type RunningWorkers,
  runWorkers,
  untilReported,
} from '../workers/workers.fixture.ts';
import { FakeReplicaSets } from './fake-replica-sets.fixture.ts';

/** The goal is a minute; a busy machine takes longer. */
const LIMIT = 300_000;

const bed = apiBed();
let api: KubernetesApi;
beforeAll(async () => {
  api = bed.api();
  await applyCrd(api);
});

/** A namespace with a store, labelled unless the test does that itself. */
async function namespaceWithStore(isLabelled = true): Promise<string> {
  const namespace = await bed.newNamespace();
  await api.create(LARGE_PAYLOAD_STORES, store(namespace, 'orders'), NEVER);
  if (isLabelled) await label(api, namespace, 'orders');
  return namespace;
}

const inject = (pod: KubernetesObject) =>
  injected(pod, { name: 'orders', namespace: pod.metadata.namespace ?? '' });
const evictions = async ({ metrics }: RunningWorkers, result: string): Promise<number> => {
  const text = await metrics.registry.metrics();
  return Number(new RegExp(`pod_evictions_total{result="${result}"} (\\d+)`).exec(text)?.[1]);
};

test(
  '100 missed pods of 50 owners are healed, no budget is violated, and what must stay stays',
  async () => {
    const namespace = await namespaceWithStore();
    const others = await namespaceWithStore();
    await using sets = await FakeReplicaSets.start({ api, namespace, owners: 50, replicas: 2 });
    const start = (prefix: string, fields: object = {}) =>
      FakeReplicaSets.start({ api, namespace: others, owners: 1, replicas: 1, prefix, ...fields });
    await using job = await start('job', { kind: ['Job', 'batch/v1'] });
    await using workflow = await start('workflow', { kind: ['Workflow', 'argoproj.io/v1alpha1'] });
    await using protectedOnes = await start('protected', { maxUnavailable: 0 });
    for (const each of [sets, job, workflow, protectedOnes]) each.makeNew = inject;
    const began = performance.now();
    const operator = runWorkers(bed.api(), { injection: { evictMissed: 'All' } });
    try {
      await eventually(
        'all pods are injected',
        () => sets.count(({ isInjected }) => isInjected) === 100,
        LIMIT,
      );
      console.info(`100 missed pods of 50 owners: healed after ${Math.round(performance.now() - began)} ms`);
      await untilReported(api, [namespace, 'orders'], 'AllInjected', { injected: 100, missed: 0 });
      // One of two was away at a time.
      expect(sets.leastReady).toBe(1);
      expect(await evictions(operator, 'evicted')).toBe(100);
      expect(await evictions(operator, 'refused')).toBeGreaterThan(0);
      await untilReported(api, [others, 'orders'], 'PodsMissed', { injected: 0, missed: 3 });
      const { items } = await api.list({ resource: EVENTS, namespace }, { limit: 500 }, NEVER);
      const evicted = items.filter(({ reason }) => reason === 'EvictedForSidecar');
      expect(evicted).toHaveLength(100);
      expect(at(evicted[0]?.related, 'kind')).toBe('ReplicaSet');
    } finally {
      await operator.stop();
    }
  },
  2 * LIMIT,
);

test('an owner whose new pods are missed again is left alone, also by the next operator, until the label changes', async () => {
  const namespace = await namespaceWithStore();
  await using sets = await FakeReplicaSets.start({ api, namespace, owners: 1, replicas: 3 });
  const first = runWorkers(bed.api(), { injection: { evictMissed: 'All' } });
  const { message } = await untilReported(api, [namespace, 'orders'], 'EvictionDidNotHelp', { missed: 3 });
  expect(message).toContain('left alone');
  await first.stop();
  const left = sets.names();
  expect(left).toEqual(['worker-0-2', 'worker-0-3', 'worker-0-4']);
  const second = runWorkers(bed.api(), { injection: { evictMissed: 'All' } });
  try {
    await eventually('it has looked', async () => (await evictions(second, 'didNotHelp')) === 1);
    expect(sets.names()).toEqual(left);
    expect(await evictions(second, 'evicted')).toBe(0);
    sets.makeNew = inject;
    for (const value of ['false', 'orders']) await label(api, namespace, value);
    await eventually('all pods are injected', () => sets.count(({ isInjected }) => isInjected) === 3);
    await untilReported(api, [namespace, 'orders'], 'AllInjected', { injected: 3, missed: 0 });
  } finally {
    await second.stop();
  }
});

test('no pod is evicted that is older than the label, where it may not, or while new pods get no sidecar', async () => {
  const namespace = await namespaceWithStore(false);
  const start = (prefix: string) => FakeReplicaSets.start({ api, namespace, owners: 1, replicas: 1, prefix });
  const secondsPass = () => new Promise((resolve) => setTimeout(resolve, 1_100));
  await using before = await start('before');
  await secondsPass();
  await label(api, namespace, 'orders');
  await secondsPass();
  await using after = await start('after');
  for (const each of [before, after]) each.makeNew = inject;
  let problem: string | undefined = 'the webhook has no certificate yet';
  const operator = runWorkers(bed.api(), {
    injection: { evictMissed: 'CreatedAfterLabel' },
    problemOf: () => problem,
  });
  try {
    const { message } = await untilReported(api, [namespace, 'orders'], 'InjectionNotReady', { missed: 2 });
    expect(message).toContain('the webhook has no certificate yet');
    expect(await evictions(operator, 'evicted')).toBe(0);
    problem = undefined;
    await untilReported(api, [namespace, 'orders'], 'PodsMissed', { injected: 1, missed: 1 });
    expect(before.names()).toEqual(['before-0-1']);
    expect(await evictions(operator, 'evicted')).toBe(1);
  } finally {
    await operator.stop();
  }
});
