import { INJECT_LABEL } from '@largepayload/operator/injection/names';
import { CONTROLLER } from '@largepayload/operator/kubernetes/event-recorder';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { slowly } from '../faults/slowly.fixture.ts';
import { StoreBed } from '../fixtures/store.fixture.ts';
import { suiteCluster } from '../fixtures/suite.fixture.ts';
import { show } from '../fixtures/table.fixture.ts';
import { PodApi } from './pod-api.fixture.ts';
import {
  gateway,
  injectionMode,
  refusalThrough,
  storeThrough,
  untilInjecting,
  untilStarted,
} from './worker-bed.fixture.ts';
import { injectedFor, injectionOf, isInjected, type Pod, Workers } from './worker-pod.fixture.ts';

/** ms: the kubelet looks for a ConfigMap that was missing every 60 to 90 s */
const MOUNT_LIMIT = 300_000;

const cluster = await suiteCluster();
const workers = new Workers(cluster);
const mode = await injectionMode();
let api: PodApi;
beforeAll(async () => {
  api = await PodApi.start(cluster);
});
afterAll(async () => await api?.[Symbol.asyncDispose]());

/** The API server warns by a fixed text, the webhook by the name of the store. */
const warning = (store: string) =>
  mode === 'Webhook'
    ? new RegExp(`the store ${store} of namespace .* does not exist`)
    : /asks for a store.* gets no sidecar/;
const NONE = { store: undefined, place: -1, sidecars: 0 };

test.concurrent('a pod that is made before its store uses it once it is there: injected by the webhook at once, else after a restart', {
  timeout: 900_000,
}, async () => {
  await using bed = await StoreBed.make('before', { [INJECT_LABEL]: 'orders' });
  if (mode === 'Webhook') await untilInjecting(api, bed);
  await bed.apply(workers.controller('Deployment', 'early'));
  const early = await onlyPod(bed, 'early');
  const { warnings } = await api.tryOut(bed.namespace, workers.pod('warned'));
  expect(warnings.join(' ')).toMatch(warning('orders'));
  if (mode === 'Policy') {
    expect(injectionOf(early)).toMatchObject(NONE);
    await bed.applyStore('orders', { gateway });
    await untilInjecting(api, bed);
    const missed = await bed.until('orders', 'InjectionCurrent', { reason: 'PodsMissed', message: /early/ });
    await bed.kubectl('rollout', 'restart', 'deployment/early');
    await bed.kubectl('rollout', 'status', 'deployment/early', '--timeout=200s');
    const healed = await slowly(async () => {
      const pod = await onlyPod(bed, 'early');
      return isInjected(pod) ? pod : undefined;
    });
    await storeThrough(await untilStarted(bed, healed.metadata.name));
    show(
      'pod made before its store, CA ConfigMap absent',
      `not injected, warning: ${warnings.join(' ')}; then ${missed.reason}: ${missed.message}; stores after a restart`,
    );
    return;
  }
  expect(injectionOf(early)).toEqual(injectedFor(`orders.${bed.namespace}`));
  const running = await untilStarted(bed, early.metadata.name);
  const refusal = await refusalThrough(running);
  expect(refusal).toMatch(/gateway|unavailable|ca_/);
  const began = performance.now();
  await bed.applyStore('orders', { gateway });
  await slowly(async () => ((await refusalThrough(running)) === undefined ? true : undefined), MOUNT_LIMIT);
  const seconds = ((performance.now() - began) / 1_000).toFixed(0);
  const { status } = await onlyPod(bed, 'early');
  expect(status?.initContainerStatuses?.map(({ restartCount }) => restartCount)).toEqual([0]);
  show(
    'pod made before its store, CA ConfigMap absent',
    `injected with a warning (${warnings.join(' ')}); it runs, its worker gets 503 ${refusal}; stores ${seconds} s after the store ` +
      'was made, without a restart',
  );
});

test.concurrent('workers go on after their store was deleted, and store again once it is made again', {
  timeout: 900_000,
}, async () => {
  await using bed = await StoreBed.make('deleted-store', { [INJECT_LABEL]: 'orders' });
  await bed.applyStore('orders', { gateway });
  await untilInjecting(api, bed);
  await api.create(bed.namespace, workers.pod('worker'));
  const worker = await untilStarted(bed, 'worker');
  await storeThrough(worker);
  await bed.kubectl('delete', 'lps', 'orders');
  const refusal = await slowly(() => refusalThrough(worker));
  const late = await slowly(async () => {
    const answer = await api.tryOut(bed.namespace, workers.pod('late'));
    // The API server forgets a policy a moment after it was deleted.
    return mode === 'Webhook' || !isInjected(answer.pod as Pod) ? answer : undefined;
  });
  if (mode === 'Webhook') expect(isInjected(late.pod as Pod)).toBe(true);
  expect(late.warnings.join(' ')).toMatch(warning('orders'));
  await bed.applyStore('orders', { gateway });
  await storeThrough(worker);
  const { status } = await bed.json<Pod>('get', 'pod', 'worker');
  expect(status?.initContainerStatuses?.map(({ restartCount }) => restartCount)).toEqual([0]);
  show(
    'store deleted under running workers',
    `they run on and get 503 ${refusal}; new pods are ${mode === 'Webhook' ? 'injected' : 'not injected'}, warning: ` +
      `${late.warnings.join(' ')}; made again, the workers store without a restart`,
  );
});

test.concurrent('a pod whose store does not exist, or does not allow its namespace, is admitted with a warning and an Event', {
  timeout: 600_000,
}, async () => {
  await using stores = await StoreBed.make('closed');
  await using bed = await StoreBed.make('foreign', { [INJECT_LABEL]: `orders.${stores.namespace}` });
  await stores.applyStore('orders', { gateway });
  await stores.untilReady('orders');
  // The webhook answers by what its replica has seen, which may be from before the store.
  const closed = await slowly(async () => {
    const answer = await api.tryOut(bed.namespace, workers.pod('closed'));
    return isInjected(answer.pod as Pod) ? undefined : answer;
  });
  expect(closed.warnings.join(' ')).toMatch(/allowedNamespaces/);
  await api.create(bed.namespace, workers.pod('closed', { containers: [workers.idle()] }));
  const event = await eventOn(bed, 'closed');
  show(
    'store in a namespace that does not allow it',
    `runs without a sidecar; warning: ${closed.warnings.join(' ')}; Event: ${event}`,
  );

  const labels = { [INJECT_LABEL]: `misspelt.${stores.namespace}` };
  const unknown = await api.create(bed.namespace, workers.pod('unknown', { labels }));
  expect(unknown.warnings.join(' ')).toMatch(warning('misspelt'));
  expect(isInjected(unknown.pod as Pod)).toBe(mode === 'Webhook');
  const eventOfUnknown = await eventOn(bed, 'unknown');
  if (mode === 'Webhook') expect(await refusalThrough(await untilStarted(bed, 'unknown'))).toBeDefined();
  show(
    'unknown store',
    `${mode === 'Webhook' ? 'injected, answers 503' : 'runs without a sidecar'}; warning: ${unknown.warnings.join(' ')}; Event: ${eventOfUnknown}`,
  );

  await stores.kubectl(
    ...['patch', 'lps', 'orders', '--type=merge'],
    `--patch=${JSON.stringify({ spec: { allowedNamespaces: [bed.namespace] } })}`,
  );
  await untilInjecting(api, bed);
  await api.create(bed.namespace, workers.pod('allowed'));
  await storeThrough(await untilStarted(bed, 'allowed'));
  show('store that allows the namespace afterwards', 'new pods are injected, and store');
});

/** Waits for the pod of a Deployment with one replica. */
async function onlyPod(bed: StoreBed, app: string): Promise<Pod> {
  return await slowly(async () => {
    const { items } = await bed.json<{ items: Pod[] }>('get', 'pods', `--selector=app=${app}`);
    const staying = items.filter(({ metadata }) => metadata.deletionTimestamp === undefined);
    return staying.length === 1 ? staying[0] : undefined;
  });
}

/** Waits for an Event of the operator on a pod. @returns it as `REASON: message` */
async function eventOn(bed: StoreBed, pod: string): Promise<string> {
  return await slowly(async () => {
    const about = `involvedObject.name=${pod},involvedObject.kind=Pod`;
    const { items } = await bed.json<{ items: Event[] }>('get', 'events', '--field-selector', about);
    const ours = items.find(({ reportingComponent }) => reportingComponent === CONTROLLER);
    return ours && `${ours.reason}: ${ours.message}`;
  });
}

interface Event {
  readonly reportingComponent: string;
  readonly reason: string;
  readonly message: string;
}
