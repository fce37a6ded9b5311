import { eventualValue } from '@largepayload/testing/waiting/eventually';
import { afterAll, expect, test } from 'vitest';
import {
  leadersAmong,
  operatorHelm,
  operatorPods,
  untilLeader,
  upgradeOperator,
} from '../fixtures/operator.fixture.ts';
import { quickStart, repository } from '../fixtures/readme.fixture.ts';
import { SlowPayload } from '../fixtures/slow-transfers.fixture.ts';
import { CREDENTIALS, StoreBed } from '../fixtures/store.fixture.ts';
import { OPERATOR, suiteCluster } from '../fixtures/suite.fixture.ts';
import { show } from '../fixtures/table.fixture.ts';
import { PodApi } from '../injection/pod-api.fixture.ts';
import { labelNamespace, podsOf, untilInjecting } from '../injection/worker-bed.fixture.ts';
import { isInjected, Workers } from '../injection/worker-pod.fixture.ts';

const gateway = { credentialsSecretRef: { name: CREDENTIALS }, replicas: 1 };

afterAll(async () => {
  // The tests that follow need an operator, also after a failure here.
  const releases = await operatorHelm('list', '--short');
  if (!releases.includes(OPERATOR)) await install();
});

test('helm test succeeds', async () => {
  expect(await operatorHelm('test', OPERATOR, '--logs', '--timeout', '90s')).toMatch(/readyz: 200 ok/);
  show('helm test', 'succeeds');
});

test('helm upgrade rolls the operator without a gap', async () => {
  await using bed = await StoreBed.make('upgrade');
  const before = await untilLeader();
  const gaps = leadingGaps();
  const upgrading = upgradeOperator(`podAnnotations.upgraded=at-${Date.now()}`);
  upgrading.catch(() => {});
  await bed.applyStore('meanwhile', { gateway });
  await bed.untilReady('meanwhile');
  await upgrading;
  const after = await eventualValue(async () => {
    const leader = await untilLeader();
    return leader.name === before.name ? undefined : leader;
  });
  const { longestMs, mostLeaders } = await gaps();
  expect(after.name).not.toBe(before.name);
  expect(mostLeaders).toBe(1);
  expect(longestMs).toBeLessThan(10_000);
  show(
    'helm upgrade',
    `another pod leads, nobody for ${(longestMs / 1_000).toFixed(1)} s at most; a store made meanwhile is Ready`,
  );
});

test('stores serve on after helm uninstall; helm install takes them over, and injects into a namespace that was labelled before', async () => {
  await using bed = await StoreBed.make('reinstalled');
  await using early = await StoreBed.make('labelled-before');
  await bed.applyStore('main', { gateway });
  await bed.untilReady('main');
  const pods = await bed.kubectl('get', 'pods', '--output=name');
  const url = await bed.servedUrl('main');
  const payload = new SlowPayload(1);
  const key = await payload.put(url, 0);

  await operatorHelm('uninstall', OPERATOR, '--wait');
  await eventualValue(async () => (await operatorPods()).length === 0 || undefined, 60_000);
  await payload.get(url, key);
  await bed.untilReady('main');
  await labelAndRun(early);
  await bed.kubectl('patch', 'lps', 'main', '--type=merge', '--patch={"spec":{"gateway":{"replicas":2}}}');
  const began = performance.now();
  await install();
  await eventualValue(async () => {
    const path = '--output=jsonpath={.status.readyReplicas}';
    return (await bed.kubectl('get', 'deployment', 'main-gateway', path)) === '2' || undefined;
  });
  const seconds = ((performance.now() - began) / 1_000).toFixed(0);
  const podsAfter = (await bed.kubectl('get', 'pods', '--output=name')).split('\n');
  expect(podsAfter).toContain(pods.trim());
  await payload.get(url, key);
  show(
    'helm uninstall, and install again',
    'CRD, store, pods and data stay and serve; the operator adopts them, no pod is replaced, and does what was ' +
      `edited meanwhile, ${seconds} s`,
  );
  await using api = await PodApi.start(early.cluster);
  await untilInjecting(api, early);
  const named = await restartNamedPods(early);
  show(
    'namespace labelled before helm install',
    `pods of before are named (${named}), and injected after a restart`,
  );
});

/** Of a store that is not there yet, so no policy that the operator has left injects it. */
async function labelAndRun(bed: StoreBed): Promise<void> {
  await labelNamespace(bed, 'orders');
  await bed.apply(new Workers(bed.cluster).controller('Deployment', 'early'));
  await bed.kubectl('rollout', 'status', 'deployment/early', '--timeout=120s');
  expect((await podsOf(bed)).map(isInjected)).toEqual([false]);
  await bed.applyStore('orders', { gateway });
}

/** @returns how the pods of before are named */
async function restartNamedPods(bed: StoreBed): Promise<string> {
  const missed = { reason: 'PodsMissed', message: /early-/ };
  const { message } = await bed.until('orders', 'InjectionCurrent', missed);
  await bed.kubectl('rollout', 'restart', 'deployment/early');
  await bed.until('orders', 'InjectionCurrent', { status: 'True', reason: 'AllInjected' });
  return message;
}

async function install(): Promise<void> {
  const cluster = await suiteCluster();
  const [, commands = ''] = quickStart(cluster.registryImage);
  await cluster.run('bash', ['-euo', 'pipefail', '-c', `cd ${repository}\n${commands}`]);
}

/** Watches the leaders. @returns a function that ends this, and returns the longest gap and the most leaders at once */
function leadingGaps(): () => Promise<{ longestMs: number; mostLeaders: number }> {
  let [isOver, longestMs, mostLeaders, lastLed] = [false, 0, 0, performance.now()];
  const watching = eventualValue(async () => {
    const leaders = await leadersAmong(await operatorPods());
    mostLeaders = Math.max(mostLeaders, leaders.length);
    longestMs = Math.max(longestMs, performance.now() - lastLed);
    if (leaders.length > 0) lastLed = performance.now();
    return isOver || undefined;
  }, 170_000);
  return async () => {
    isOver = true;
    await watching;
    return { longestMs, mostLeaders };
  };
}
