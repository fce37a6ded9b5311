import { eventualValue } from '@largepayload/testing/waiting/eventually';
import { afterAll, beforeAll, expect, test } from 'vitest';
import {
  killOperator,
  leadersAmong,
  type OperatorPod,
  operatorKubectl,
  operatorPods,
  untilLeader,
  untilRolledOut,
  upgradeOperator,
} from '../fixtures/operator.fixture.ts';
import { CREDENTIALS, StoreBed } from '../fixtures/store.fixture.ts';
import { OPERATOR } from '../fixtures/suite.fixture.ts';
import { show } from '../fixtures/table.fixture.ts';

beforeAll(async () => await upgradeOperator('replicas=2'));
afterAll(async () => await upgradeOperator('replicas=null'));

test.for([
  // Another replica takes a Lease 15 s after its last renewal at the earliest, and checks it every 2 s.
  { what: 'killed', end: async (pod: OperatorPod) => killOperator(pod), limitMs: 25_000 },
  {
    what: 'ended by SIGTERM',
    end: async ({ name }: OperatorPod) => void (await operatorKubectl('delete', 'pod', name, '--wait=false')),
    limitMs: 10_000,
  },
])('the second replica leads when the leader is $what', async ({ what, end, limitMs }) => {
  await using bed = await StoreBed.make('replicas');
  await untilRolledOut();
  const pods = await eventualValue(async () => {
    const found = await operatorPods();
    return found.length === 2 && found.every(({ isReady }) => isReady) ? found : undefined;
  });
  const leader = await untilLeader();
  expect(await leadersAmong(pods)).toHaveLength(1);
  expect(await leaseHolder()).toContain(leader.name);

  await end(leader);
  const ended = performance.now();
  const gateway = { credentialsSecretRef: { name: CREDENTIALS }, replicas: 1 };
  await bed.applyStore('meanwhile', { gateway });
  const most = { leaders: 0 };
  // The leader may be the other replica, or the one that replaced the first.
  const heir = await eventualValue(async () => {
    const now = await operatorPods();
    const isThere = now.some(({ name }) => name === leader.name);
    const leaders = await leadersAmong(isThere ? now : [leader, ...now]);
    most.leaders = Math.max(most.leaders, leaders.length);
    return leaders.find(({ containerId }) => containerId !== leader.containerId);
  }, limitMs);
  const seconds = (performance.now() - ended) / 1_000;
  expect(most.leaders).toBe(1);
  expect(await leaseHolder()).toContain(heir.name);
  await bed.untilReady('meanwhile');
  const ready = (performance.now() - ended) / 1_000;
  show(
    `of two replicas the leader is ${what}`,
    `another leads after ${seconds.toFixed(1)} s; a store made meanwhile is Ready after ${ready.toFixed(1)} s`,
  );
});

async function leaseHolder(): Promise<string> {
  return await operatorKubectl('get', 'lease', OPERATOR, '--output=jsonpath={.spec.holderIdentity}');
}
