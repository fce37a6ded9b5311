import { INJECT_LABEL, SIDECAR_CONTAINER } from '@largepayload/operator/injection/names';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { slowly } from '../faults/slowly.fixture.ts';
import { StoreBed } from '../fixtures/store.fixture.ts';
import { suiteCluster } from '../fixtures/suite.fixture.ts';
import { show } from '../fixtures/table.fixture.ts';
import { PodApi } from './pod-api.fixture.ts';
import { SecondWebhook } from './second-webhook.fixture.ts';
import { gateway, storeThrough, untilInjecting, untilStarted } from './worker-bed.fixture.ts';
import { injectedFor, injectionOf, type Pod, Workers } from './worker-pod.fixture.ts';

const cluster = await suiteCluster();
const workers = new Workers(cluster);
let api: PodApi;
beforeAll(async () => {
  api = await PodApi.start(cluster);
});
afterAll(async () => await api?.[Symbol.asyncDispose]());

/** A namespace with a store, which may not be ready: most of these tests look at admission alone. */
async function injectedBed(what: string, labels: Record<string, string> = {}): Promise<StoreBed> {
  const bed = await StoreBed.make(what, { [INJECT_LABEL]: 'orders', ...labels });
  await bed.applyStore('orders', { gateway });
  await untilInjecting(api, bed);
  return bed;
}

test.concurrent('a pod passes Pod Security `restricted` with its sidecar, beside the store, and stores', async () => {
  const mode = (name: string) => `pod-security.kubernetes.io/${name}`;
  await using bed = await injectedBed('restricted', {
    ...{ [mode('enforce')]: 'restricted', [mode('warn')]: 'restricted' },
  });
  // The kubelet looks for a ConfigMap that was missing after a minute only.
  await bed.untilReady('orders');
  const { pod, warnings, refusal } = await api.create(bed.namespace, workers.pod('worker'));
  expect(refusal).toBeUndefined();
  expect(warnings).toEqual([]);
  expect(injectionOf(pod as Pod)).toEqual(injectedFor(`orders.${bed.namespace}`));
  await storeThrough(await untilStarted(bed, 'worker'));
  show(
    'Pod Security restricted enforced, store and workers in one namespace',
    'injected, no warning, stores',
  );
});

/** What a webhook does that decodes pods by types of before Kubernetes 1.28, and encodes them again. */
const without = (fields: readonly string[]) => (pod: Pod) =>
  (pod.spec.initContainers ?? []).flatMap((container, index) =>
    fields
      .filter((field) => field in container)
      .map((field) => ({ op: 'remove' as const, path: `/spec/initContainers/${index}/${field}` })),
  );

test.concurrent('a pod is refused where another webhook takes restartPolicy away from the sidecar', async () => {
  await using bed = await injectedBed('strips');
  await using _second = await SecondWebhook.start(bed, without(['restartPolicy']));
  const refusal = await refusalOf(bed, workers.pod('probe'), /restartPolicy/);
  show('another webhook takes restartPolicy away', `refused by the API server: ${refusal}`);
});

test.concurrent('a pod is named where another webhook takes restartPolicy and startup probe away from the sidecar', async () => {
  await using bed = await injectedBed('strips-more');
  await using second = await SecondWebhook.start(bed, without(['restartPolicy', 'startupProbe']));
  await slowly(async () => {
    await api.tryOut(bed.namespace, workers.pod('probe'));
    return second.calls > 0 || undefined;
  });
  const { warnings, pod } = await api.create(bed.namespace, workers.pod('stripped'));
  expect(injectionOf(pod as Pod)).toMatchObject({ place: 0, sidecars: 0 });
  expect(warnings.join(' ')).toMatch(/restartPolicy/);
  const { message } = await bed.until('orders', 'InjectionCurrent', {
    reason: 'PodsMissed',
    message: /stripped/,
  });
  show(
    'another webhook takes restartPolicy and startup probe away',
    `warning: ${warnings.join(' ')}; InjectionCurrent: PodsMissed: ${message}`,
  );
});

test.concurrent('a container that another webhook adds after ours gets the variables too', async () => {
  await using bed = await injectedBed('adds');
  const added = workers.idle('added');
  await using second = await SecondWebhook.start(bed, ({ spec }) =>
    spec.containers.some(({ name }) => name === added.name)
      ? []
      : [{ op: 'add', path: '/spec/containers/-', value: added }],
  );
  const pod = await slowly(async () => {
    const answer = await api.tryOut(bed.namespace, workers.pod('probe'));
    return second.calls > 0 ? answer.pod : undefined;
  });
  expect(pod.spec.containers.map(({ name }) => name)).toEqual(['worker', 'added']);
  expect(injectionOf(pod)).toEqual(injectedFor(`orders.${bed.namespace}`));
  show(
    'another webhook adds a container after injection',
    'it has the variables too, and the pod one sidecar',
  );
});

test.concurrent('quotas and limits of a namespace count the sidecar, and a refusal names it or its resources', async () => {
  await using bed = await injectedBed('quota');
  const resources = {
    ...{ requests: { cpu: '10m', memory: '64Mi' }, limits: { cpu: '1', memory: '128Mi' } },
  };
  const worker = workers.pod('worker', { containers: [workers.idle('worker', { resources })] });

  await bed.apply(quota('memory', { 'requests.memory': '100Mi' }));
  const full = await refusalOf(bed, worker, /exceeded quota: memory/);
  show('ResourceQuota without room for the sidecar', `refused: ${full}`);

  await bed.apply(quota('memory', { 'limits.cpu': '20' }));
  const unlimited = await refusalOf(bed, worker, /must specify limits\.cpu/);
  expect(unlimited).toContain(SIDECAR_CONTAINER);
  await bed.kubectl(
    ...['patch', 'lps', 'orders', '--type=merge'],
    `--patch=${JSON.stringify({ spec: { sidecar: { resources: { limits: { cpu: '1' } } } } })}`,
  );
  await admitted(bed, worker);
  show(
    'ResourceQuota on limits.cpu',
    `refused: ${unlimited}; admitted with a limit in spec.sidecar.resources`,
  );
  await bed.kubectl(
    'patch',
    'lps',
    'orders',
    '--type=json',
    '--patch=[{"op":"remove","path":"/spec/sidecar"}]',
  );
  await refusalOf(bed, worker, /must specify limits\.cpu/);

  const limits = [{ type: 'Container', default: { cpu: '500m' }, max: { memory: '1Gi' } }];
  await bed.apply({ apiVersion: 'v1', kind: 'LimitRange', metadata: { name: 'limits' }, spec: { limits } });
  const pod = await admitted(bed, worker);
  const sidecar = pod.spec.initContainers?.find(({ name }) => name === SIDECAR_CONTAINER);
  expect(sidecar?.resources).toMatchObject({ limits: { cpu: '500m', memory: '256Mi' } });
  show('ResourceQuota on limits.cpu, with a LimitRange', 'admitted: the sidecar takes the default limit');

  const small = [{ type: 'Container', max: { memory: '200Mi' } }];
  await bed.apply({
    apiVersion: 'v1',
    kind: 'LimitRange',
    metadata: { name: 'limits' },
    spec: { limits: small },
  });
  const large = await refusalOf(bed, worker, /maximum memory usage per Container is 200Mi/);
  show('LimitRange below the limit of the sidecar', `refused: ${large}`);
});

const quota = (name: string, hard: Record<string, string>) => ({
  ...{ apiVersion: 'v1', kind: 'ResourceQuota', metadata: { name }, spec: { hard } },
});

/** Waits until pods are refused with such a message: quotas count after a moment. @returns the message */
async function refusalOf(bed: StoreBed, pod: object, message: RegExp): Promise<string> {
  return await slowly(async () => {
    const { refusal = '' } = await api.tryOut(bed.namespace, pod);
    return message.test(refusal) ? refusal : undefined;
  });
}

/** Waits until the pod would be admitted, with its sidecar. */
async function admitted(bed: StoreBed, pod: object): Promise<Pod> {
  const answer = await slowly(async () => {
    const { pod: made } = await api.tryOut(bed.namespace, pod);
    return made;
  });
  expect(injectionOf(answer)).toEqual(injectedFor(`orders.${bed.namespace}`));
  return answer;
}
