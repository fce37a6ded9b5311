import { eventualValue } from '@largepayload/testing/waiting/eventually';
import { expect, test } from 'vitest';
import { json, NOT_READY, podAt } from '../polling/running-pods.fixture.ts';
import { runningPod, scriptedCluster, storeOf } from './scripted-cluster.fixture.ts';

const SILENT = Array.from({ length: 60 }, (_, index) => `silent-${index}`);
const HOLE = '127.0.80.1';

/** Polls there stay unanswered until the test ends. */
async function blackHole() {
  const polls = { open: 0, begun: 0, ended: 0 };
  await podAt(HOLE, (_, response) => {
    polls.begun++;
    polls.open++;
    response.on('close', () => {
      polls.open--;
      polls.ended++;
    });
  });
  return polls;
}
const podsOf = (stores: readonly string[]) =>
  stores.flatMap((store) => [1, 2].map((n) => runningPod(`${store}-${n}`, store, HOLE, false)));

test('60 stores whose pods never answer delay no other store', async () => {
  const polls = await blackHole();
  await using cluster = await scriptedCluster({
    largepayloadstores: [...SILENT, 'orders'].map(storeOf),
    pods: podsOf(SILENT),
  });
  // The last store has a status while the first polls are still open: no store waited for a poll.
  await eventualValue(() => cluster.ready('orders'), 4_000);
  const applied = new Set(cluster.written.map((path) => path.match(/deployments\/(.*)-gateway/)?.[1]));
  expect(SILENT.filter((name) => !applied.has(name))).toEqual([]);
  expect(polls).toEqual({ open: 20, begun: 20, ended: 0 });
});

test('a status waits for the polls of new pods, and not for ever', async () => {
  await blackHole();
  await podAt(
    '127.0.80.2',
    json(() => ({ ...NOT_READY, store: { namespace: 'shop', name: 'orders' } })),
  );
  await using cluster = await scriptedCluster({
    largepayloadstores: ['orders', ...SILENT].map(storeOf),
    pods: [runningPod('orders-1', 'orders', '127.0.80.2', false), ...podsOf(SILENT)],
  });
  const isTold = (store: string) => cluster.ready(store) !== undefined;
  await eventualValue(() => (isTold('orders') ? true : undefined), 4_000);
  expect(SILENT.filter(isTold)).toEqual([]);
  // Most of their pods are not asked by then.
  await eventualValue(() => (SILENT.every(isTold) ? true : undefined), 30_000);
});

test('no pod is polled any more once the poller has ended', async () => {
  const polls = await blackHole();
  await using cluster = await scriptedCluster({
    largepayloadstores: SILENT.map(storeOf),
    pods: podsOf(SILENT),
  });
  await eventualValue(() => (polls.begun === 20 ? true : undefined), 4_000);
  const asked = performance.now();
  await cluster.stop();
  // The signal ended the polls, not their time limit.
  expect(performance.now() - asked).toBeLessThan(3_000);
  await eventualValue(() => (polls.open === 0 ? true : undefined), 1_000);
  expect(polls.begun).toBe(20);
});
