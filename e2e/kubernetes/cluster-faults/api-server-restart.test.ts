import { eventualValue } from '@largepayload/testing/waiting/eventually';
import { expect, test } from 'vitest';
import { leadersAmong, type OperatorPod, operatorPods } from '../fixtures/operator.fixture.ts';
import { StoreBed } from '../fixtures/store.fixture.ts';
import { suiteCluster } from '../fixtures/suite.fixture.ts';
import { show } from '../fixtures/table.fixture.ts';
import { requestTraffic } from '../fixtures/traffic.fixture.ts';

const { restartsApiServer } = await suiteCluster();

test.skipIf(!restartsApiServer)('pods and operator go on when the API server restarts', async () => {
  await using bed = await StoreBed.make('restart');
  await bed.applyStore('main');
  await bed.untilReady('main');
  const operators = await operatorPods();
  const traffic = requestTraffic(await bed.servedUrl('main'));
  const stopped = performance.now();
  await bed.cluster.restartApiServer(5_000);
  const back = performance.now();
  // Pods are compared by their addresses, which outlive a container: the kubelet reports a new container late.
  await eventualValue(async () => (await leadersAmong(operators)).length > 0 || undefined, 90_000);
  const leads = performance.now();
  await bed.kubectl('patch', 'lps', 'main', '--type=merge', '--patch={"spec":{"gateway":{"replicas":3}}}');
  await bed.until('main', 'Ready', { status: 'True', message: /^(?!.*of 3)/ });
  await bed.kubectl('rollout', 'status', 'deployment/main-gateway', '--timeout=120s');
  const edited = performance.now();
  await traffic.stop();

  expect(await bed.kubectl('get', 'deployment', 'main-gateway', '--output=jsonpath={.spec.replicas}')).toBe(
    '3',
  );
  expect(traffic.failures, await bed.kubectl('get', 'events,pods', '--output=wide')).toEqual([]);
  expect(traffic.done).toBeGreaterThan(100);
  const restartsSince = restartsOf(await operatorPods()) - restartsOf(operators);
  const seconds = (from: number, to: number) => ((to - from) / 1_000).toFixed(1);
  show(
    `API server away for ${seconds(stopped, back)} s`,
    `${traffic.done} payloads put and got, none failed; the operator (container restarts: ` +
      `${restartsSince}) leads ${seconds(back, leads)} s after, an edit is done ` +
      `${seconds(leads, edited)} s later`,
  );
});

function restartsOf(pods: readonly OperatorPod[]): number {
  return pods.reduce((sum, pod) => sum + pod.restarts, 0);
}
