import { expect, test } from 'vitest';
import { slowly } from '../faults/slowly.fixture.ts';
import { StoreBed } from '../fixtures/store.fixture.ts';
import { show } from '../fixtures/table.fixture.ts';
import { PodApi } from './pod-api.fixture.ts';
import {
  gateway,
  labelNamespace,
  podsOf,
  storeThrough,
  untilEnded,
  untilInjecting,
  untilStarted,
} from './worker-bed.fixture.ts';
import { injectedFor, injectionOf, type Manifest, type Pod, Workers } from './worker-pod.fixture.ts';

/** ms */
const LIMIT = 240_000;
const NOT_SCHEDULED = '0 0 29 2 *';
const KINDS = ['Deployment', 'StatefulSet', 'DaemonSet'];
const workloads = KINDS.map((kind) => `${kind.toLowerCase()}/${kind.toLowerCase()}`);

test('a namespace is labelled and its workloads are restarted as README says: all pods of all controllers are injected, and again after the label changed', {
  timeout: 1_200_000,
}, async () => {
  await using bed = await StoreBed.make('labelled');
  await using api = await PodApi.start(bed.cluster);
  const workers = new Workers(bed.cluster);
  await bed.applyStore('orders', { gateway });
  await bed.applyStore('invoices', { gateway, storage: bed.s3Storage({ prefix: 'invoices/' }) });
  await bed.apply(...KINDS.map((kind) => workers.controller(kind, kind.toLowerCase())), cronJob(workers));
  await rolledOut(bed);
  const before = await templateOf(bed);

  await labelNamespace(bed, 'orders');
  await untilInjecting(api, bed);
  const named = await bed.until('orders', 'InjectionCurrent', {
    ...{ status: 'False', reason: 'PodsMissed' },
    message: /rollout restart/,
  });
  expect(await templateOf(bed)).toEqual(before);
  show('labelled namespace with running workloads', `InjectionCurrent: ${named.reason}: ${named.message}`);
  show(
    'template of a Deployment before and after the label',
    `generation, pod-template-hash and template are the same (${before.hash}), so a build id of temporal-worker-controller is`,
  );

  await bed.kubectl('rollout', 'restart', ...workloads);
  await bed.kubectl('create', 'job', 'once', '--from=cronjob/nightly');
  await rolledOut(bed);
  const pods = await untilAll(bed, `orders.${bed.namespace}`);
  for (const pod of pods) await storeThrough(await untilStarted(bed, pod.metadata.name));
  const [once] = await podsOf(bed, 'job-name=once');
  expect(injectionOf(once as Pod)).toEqual(injectedFor(`orders.${bed.namespace}`));
  expect(await untilEnded(bed, once?.metadata.name ?? '')).toBe('Succeeded');
  await bed.kubectl('wait', 'job/once', '--for=condition=Complete', '--timeout=120s');
  await bed.until('orders', 'InjectionCurrent', { status: 'True', reason: 'AllInjected' });
  const counts = await slowly(async () => {
    const path = '--output=jsonpath={.status.pods}';
    const { injected, missed: left } = JSON.parse((await bed.kubectl('get', 'lps', 'orders', path)) || '{}');
    return injected === pods.length && left === 0 ? injected : undefined;
  });
  show(
    'kubectl label, then rollout restart: Deployment, StatefulSet, DaemonSet; a Job of a CronJob',
    `each of ${counts} pods is injected and stores; the Job completes with its sidecar`,
  );

  await labelNamespace(bed, 'invoices');
  const wrong = await bed.until('invoices', 'InjectionCurrent', { status: 'False', reason: 'PodsMissed' });
  const [running] = await podsOf(bed, 'app=deployment');
  await storeThrough(running as Pod);
  await bed.kubectl('rollout', 'restart', ...workloads);
  await rolledOut(bed);
  const changed = await untilAll(bed, `invoices.${bed.namespace}`);
  await storeThrough(await untilStarted(bed, changed[0]?.metadata.name ?? ''));
  await bed.until('invoices', 'InjectionCurrent', { status: 'True', reason: 'AllInjected' });
  show(
    'label of a running namespace changed to another store',
    `running pods go on in the store of before, and are named: ${wrong.message}; restarted, all ${changed.length} use the other`,
  );

  await labelNamespace(bed, undefined);
  const deployment = 'deployment/deployment';
  await slowly(async () => {
    const { pod } = await api.tryOut(bed.namespace, workers.pod('probe'));
    return pod !== undefined && injectionOf(pod).place < 0 ? true : undefined;
  });
  await bed.kubectl('rollout', 'restart', deployment);
  await bed.kubectl('rollout', 'status', deployment, '--timeout=120s');
  await slowly(async () => {
    const left = await podsOf(bed, 'app=deployment');
    return left.length === 1 && left.every((pod) => injectionOf(pod).place < 0) ? true : undefined;
  });
  show('label removed from the namespace', 'new pods have no sidecar');
});

function cronJob(workers: Workers): Manifest {
  const template = { spec: { restartPolicy: 'Never', containers: [workers.check()] } };
  return {
    ...{ apiVersion: 'batch/v1', kind: 'CronJob', metadata: { name: 'nightly' } },
    spec: { schedule: NOT_SCHEDULED, jobTemplate: { spec: { backoffLimit: 0, template } } },
  };
}

async function rolledOut(bed: StoreBed): Promise<void> {
  for (const workload of workloads) await bed.kubectl('rollout', 'status', workload, '--timeout=200s');
}

/** Waits until every pod of the controllers is injected for that store. @returns these pods */
async function untilAll(bed: StoreBed, store: string): Promise<Pod[]> {
  return await slowly(async () => {
    const pods = await podsOf(bed, 'app in (deployment,statefulset,daemonset)');
    return pods.every((pod) => injectionOf(pod).store === store) ? pods : undefined;
  }, LIMIT);
}

interface Template {
  readonly generation: number;
  readonly hash: string | undefined;
  readonly template: unknown;
}

/** What temporal-worker-controller makes a build id of, and what Kubernetes makes of it. */
async function templateOf(bed: StoreBed): Promise<Template> {
  const deployment = await bed.json<{ metadata: { generation: number }; spec: { template: unknown } }>(
    ...['get', 'deployment', 'deployment'],
  );
  const { items } = await bed.json<{ items: Pod[] }>('get', 'replicasets', '--selector=app=deployment');
  expect(items).toHaveLength(1);
  const hash = items[0]?.metadata.labels?.['pod-template-hash'];
  return { generation: deployment.metadata.generation, hash, template: deployment.spec.template };
}
