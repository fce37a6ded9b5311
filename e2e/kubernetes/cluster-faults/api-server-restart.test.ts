import { expect, test } from 'vitest';
import { operatorPods, untilLeader } from '../testing/operator.ts';
import { StoreBed } from '../testing/store-bed.ts';
import { suiteCluster } from '../testing/suite.ts';
import { show } from '../testing/table.ts';
import { requestTraffic } from '../testing/traffic.ts';

const { apiServerRestart } = (await suiteCluster()).capabilities;

test.skipIf(!apiServerRestart.supported)('the API server restarts', async () => {
  await using bed = await StoreBed.make('restart');
  await bed.applyStore('main');
  await bed.untilReady('main');
  const restartsBefore = await restarts();
  const traffic = requestTraffic(await bed.url('main'));
  const stopped = performance.now();
  await bed.cluster.restartApiServer(5_000);
  const back = performance.now();
  await untilLeader();
  const leads = performance.now();
  await bed.kubectl('patch', 'lps', 'main', '--type=merge', '--patch={"spec":{"gateway":{"replicas":3}}}');
  await bed.until('main', 'Ready', { status: 'True', message: /^(?!.*of 3)/ });
  await bed.kubectl('rollout', 'status', 'deployment/main-gateway', '--timeout=60s');
  const edited = performance.now();
  await traffic.stop();

  expect(await bed.kubectl('get', 'deployment', 'main-gateway', '--output=jsonpath={.spec.replicas}')).toBe(
    '3',
  );
  expect(traffic.failures).toEqual([]);
  expect(traffic.done).toBeGreaterThan(100);
  const seconds = (from: number, to: number) => ((to - from) / 1_000).toFixed(1);
  show(
    `API server away for ${seconds(stopped, back)} s`,
    `${traffic.done} PUTs and GETs, none failed; the operator (container restarts: ` +
      `${(await restarts()) - restartsBefore}) leads ${seconds(back, leads)} s after, an edit is done ` +
      `${seconds(leads, edited)} s later`,
  );
});

async function restarts(): Promise<number> {
  return (await operatorPods()).reduce((sum, pod) => sum + pod.restarts, 0);
}
