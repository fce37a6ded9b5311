import { INJECT_LABEL } from '@largepayload/operator/injection/names';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { slowly } from '../faults/slowly.fixture.ts';
import { operatorPods, scaleOperator, upgradeOperator } from '../fixtures/operator.fixture.ts';
import { StoreBed } from '../fixtures/store.fixture.ts';
import { OPERATOR, suiteCluster } from '../fixtures/suite.fixture.ts';
import { show } from '../fixtures/table.fixture.ts';
import { PodApi } from '../injection/pod-api.fixture.ts';
import { gateway, injectionMode, podsOf, untilInjecting } from '../injection/worker-bed.fixture.ts';
import { isInjected, type Pod, Workers } from '../injection/worker-pod.fixture.ts';

const PODS = 200;
/** Pods with it are never scheduled: these tests are about admission, and the machine has two cores. */
const NOT_SCHEDULED = { schedulingGates: [{ name: 'example.com/never' }] };

const cluster = await suiteCluster();
const workers = new Workers(cluster);
const chosenMode = await injectionMode();
const replicas = (await operatorPods()).length;
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
  await scaleOperator(replicas);
  await upgradeOperator('injection.mode=Auto', 'injection.failurePolicy=Fail');
  await bed?.[Symbol.asyncDispose]();
  await api?.[Symbol.asyncDispose]();
});

test.skipIf(chosenMode !== 'Policy')(
  `${PODS} of ${PODS} pods are injected by the policies while the operator is away`,
  async () => {
    await scaleOperator(0);
    const pods = Array.from({ length: PODS }, (_, index) => workers.pod(`pod-${index}`, NOT_SCHEDULED));
    await bed.apply(...pods);
    const made = await podsOf(bed);
    expect(made.filter(isInjected)).toHaveLength(PODS);
    await bed.kubectl('delete', 'pods', '--all', '--wait=false', '--grace-period=0');
    await scaleOperator(replicas);
    show('operator away, mode Policy', `${PODS} of ${PODS} new pods injected`);
  },
);

test('no pod is made while the operator is away under failurePolicy Fail, and its controller makes it when the operator is back', async () => {
  await upgradeOperator('injection.mode=Webhook', 'injection.failurePolicy=Fail');
  await untilInjecting(api, bed);
  await untilPolicies(false);
  await scaleOperator(0);
  const refusal = await slowly(async () => (await api.tryOut(bed.namespace, workers.pod('refused'))).refusal);
  await bed.apply(workers.controller('Deployment', 'waits', {}, NOT_SCHEDULED));
  const failed = await slowly(async () => {
    const { items } = await bed.json<{ items: { message: string }[] }>(
      'get',
      'events',
      '--field-selector=reason=FailedCreate',
    );
    return items[0]?.message;
  });
  expect(await podsOf(bed)).toEqual([]);
  const unlabelled = { [INJECT_LABEL]: 'false' };
  const other = await api.tryOut(bed.namespace, workers.pod('other', { labels: unlabelled }));
  expect(other.refusal).toBeUndefined();
  await scaleOperator(replicas);
  const back = performance.now();
  const pods = await slowly(async () => {
    const found = await podsOf(bed);
    return found.length === 1 ? found : undefined;
  }, 120_000);
  expect(pods.map(isInjected)).toEqual([true]);
  const seconds = ((performance.now() - back) / 1_000).toFixed(0);
  show(
    'operator away, mode Webhook, failurePolicy Fail',
    `new pods in scope are refused: ${refusal}; Event on the ReplicaSet: ${failed}; the Deployment has its pod ${seconds} s after the ` +
      'operator is back; a pod with the label "false" is made meanwhile',
  );
});

test('a pod is made without a sidecar while the operator is away under failurePolicy Ignore, and is named when the operator is back', async () => {
  await bed.kubectl('delete', 'deployments,pods', '--all', '--grace-period=0');
  await upgradeOperator('injection.mode=Webhook', 'injection.failurePolicy=Ignore');
  await untilInjecting(api, bed);
  await scaleOperator(0);
  const { pod, warnings } = await slowly(async () => {
    const answer = await api.tryOut(bed.namespace, workers.pod('probe'));
    return answer.pod !== undefined && !isInjected(answer.pod) ? answer : undefined;
  });
  expect(isInjected(pod as Pod)).toBe(false);
  await bed.apply(workers.controller('Deployment', 'missed'));
  await slowly(async () => ((await podsOf(bed)).length === 1 ? true : undefined));
  await scaleOperator(replicas);
  const { message } = await bed.until('orders', 'InjectionCurrent', {
    reason: 'PodsMissed',
    message: /missed-/,
  });
  show(
    'operator away, mode Webhook, failurePolicy Ignore',
    `the pod runs without a sidecar, warning: ${warnings}; InjectionCurrent when the operator is back: ${message}`,
  );
});

test('the policies are back, and the webhook gone, when the mode is changed back', async () => {
  await upgradeOperator('injection.mode=Auto', 'injection.failurePolicy=Fail');
  expect(await injectionMode()).toBe(chosenMode);
  await untilInjecting(api, bed);
  expect(await webhooks()).toHaveLength(chosenMode === 'Webhook' ? 1 : 0);
  await untilPolicies(true);
  show(
    'injection.mode changed to Webhook and back',
    'policies and webhook replace each other; new pods are injected',
  );
});

/** Waits until the operator has written its policies, or removed all of them. */
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
