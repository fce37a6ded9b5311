import { INJECT_LABEL } from '@largepayload/operator/injection/names';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { slowly } from '../faults/slowly.fixture.ts';
import { operatorKubectl, scaleOperator, upgradeOperator } from '../fixtures/operator.fixture.ts';
import { StoreBed } from '../fixtures/store.fixture.ts';
import { OPERATOR, suiteCluster } from '../fixtures/suite.fixture.ts';
import { show } from '../fixtures/table.fixture.ts';
import { type Admission, PodApi } from '../injection/pod-api.fixture.ts';
import { gateway, injectionMode, podsOf, untilInjecting } from '../injection/worker-bed.fixture.ts';
import { isInjected, Workers } from '../injection/worker-pod.fixture.ts';

const PODS = 200;
/** Pods with it are never scheduled: these tests are about admission, and the machine has two cores. */
const NOT_SCHEDULED = { schedulingGates: [{ name: 'example.com/never' }] };
/** ms: the controller of a ReplicaSet waits twice as long after each refusal */
const RETRY_LIMIT = 240_000;

const cluster = await suiteCluster();
const workers = new Workers(cluster);
const chosenMode = await injectionMode();
let bed: StoreBed;
let api: PodApi;

beforeAll(async () => {
  api = await PodApi.start(cluster);
  bed = await StoreBed.make('operator-away', { [INJECT_LABEL]: 'orders' });
  await bed.applyStore('orders', { gateway });
  await untilInjecting(api, bed);
});

afterAll(async () => {
  // The tests that follow need an operator, with the settings of before.
  await upgradeOperator('injection.mode=Auto');
  await bed?.[Symbol.asyncDispose]();
  await api?.[Symbol.asyncDispose]();
});

test.runIf(chosenMode === 'Policy')(
  `${PODS} of ${PODS} pods are injected by the policies while the operator is away`,
  async () => {
    await removeOperator();
    const pods = Array.from({ length: PODS }, (_, index) => workers.pod(`pod-${index}`, NOT_SCHEDULED));
    await bed.apply(...pods);
    const made = await podsOf(bed);
    expect(made.filter(isInjected)).toHaveLength(PODS);
    await bed.kubectl('delete', 'pods', '--all', '--wait=false', '--grace-period=0');
    show('operator away, mode Policy', `${PODS} of ${PODS} new pods injected`);
  },
);

test('while the operator is away, its webhook refuses pods or leaves them without a sidecar, as failurePolicy says; when it is back, controllers have their pods, and missed pods are named', async () => {
  // This brings the operator back, too.
  await upgradeOperator('injection.mode=Webhook');
  await untilPolicies(false);
  await untilInjecting(api, bed);
  await removeOperator();

  const refusal = await answered(({ refusal: message }) => message);
  const labels = { [INJECT_LABEL]: 'false' };
  expect((await api.tryOut(bed.namespace, workers.pod('other', { labels }))).refusal).toBeUndefined();
  await setFailurePolicy('Ignore');
  const warnings = await answered(({ pod, warnings: words }) =>
    pod && !isInjected(pod) ? words : undefined,
  );
  await bed.apply(workers.controller('Deployment', 'missed', {}, NOT_SCHEDULED));
  await slowly(async () => ((await podsOf(bed, 'app=missed')).length === 1 ? true : undefined));
  await setFailurePolicy('Fail');
  await answered(({ refusal: message }) => message);
  await bed.apply(workers.controller('Deployment', 'waits', {}, NOT_SCHEDULED));
  const failed = await slowly(async () => {
    const { items } = await bed.json<Events>('get', 'events', '--field-selector=reason=FailedCreate');
    return items[0]?.message;
  });
  expect(await podsOf(bed, 'app=waits')).toEqual([]);

  await scaleOperator(2);
  const back = performance.now();
  const pods = await slowly(async () => {
    const found = await podsOf(bed, 'app=waits');
    return found.length > 0 ? found : undefined;
  }, RETRY_LIMIT);
  expect(pods.map(isInjected)).toEqual([true]);
  const seconds = ((performance.now() - back) / 1_000).toFixed(0);
  const { message } = await bed.until('orders', 'InjectionCurrent', {
    ...{ reason: 'PodsMissed', message: /missed-/ },
  });
  show(
    'operator away, mode Webhook, failurePolicy Fail',
    `new pods in scope are refused: ${refusal}; Event on the ReplicaSet: ${failed}; it has its pod ${seconds} s after the ` +
      'operator is back; a pod with the label "false" is made meanwhile',
  );
  show(
    'operator away, mode Webhook, failurePolicy Ignore',
    `pods are made without a sidecar, warning: ${warnings.join(' ')}; InjectionCurrent when the operator is back: ${message}`,
  );
});

test('policies and webhook replace each other when the mode is changed back', async () => {
  await upgradeOperator('injection.mode=Auto');
  expect(await injectionMode()).toBe(chosenMode);
  await untilPolicies(true);
  await untilInjecting(api, bed);
  expect(await webhooks()).toHaveLength(chosenMode === 'Webhook' ? 1 : 0);
  show(
    'injection.mode changed to Webhook and back',
    `the objects of the other mode go; new pods are injected`,
  );
});

/** Waits until no process of it answers any more. */
async function removeOperator(): Promise<void> {
  await scaleOperator(0);
  const selector = '--selector=app.kubernetes.io/component=operator';
  await operatorKubectl('wait', 'pods', selector, '--for=delete', '--timeout=90s');
}

/** Tries pods out until `wanted` finds something in an answer: the API server learns of changes a moment later. */
async function answered<T>(wanted: (answer: Admission) => T | undefined): Promise<T> {
  return await slowly(async () => wanted(await api.tryOut(bed.namespace, workers.pod('probe'))));
}

/** What the chart's value of that name does, without an upgrade, which would bring the operator back. */
async function setFailurePolicy(failurePolicy: 'Fail' | 'Ignore'): Promise<void> {
  const [name = ''] = await webhooks();
  const patch = [0, 1].map((entry) => ({
    ...{ op: 'replace', path: `/webhooks/${entry}/failurePolicy`, value: failurePolicy },
  }));
  await cluster.kubectl('patch', name, '--type=json', `--patch=${JSON.stringify(patch)}`);
}

/** Waits until the operator has written the policy of the store, or removed it. */
async function untilPolicies(areThere: boolean): Promise<void> {
  if (chosenMode === 'Webhook') return;
  await slowly(async () => {
    const found = await cluster.kubectl('get', 'mutatingadmissionpolicies', '--output=name');
    return found.includes(`orders.${bed.namespace}`) === areThere ? true : undefined;
  });
}

async function webhooks(): Promise<string[]> {
  const names = await cluster.kubectl('get', 'mutatingwebhookconfigurations', '--output=name');
  return names.split('\n').filter((name) => name.includes(OPERATOR));
}

interface Events {
  readonly items: readonly { readonly message: string }[];
}
