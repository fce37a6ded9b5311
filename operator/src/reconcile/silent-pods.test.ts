import { eventualValue } from '@largepayload/testing/waiting/eventually';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { json, NOT_READY, podAt } from '../polling/running-pods.fixture.ts';
import { runningPod, type ScriptedCluster, scriptedCluster, storeOf } from './scripted-cluster.fixture.ts';

const SILENT = Array.from({ length: 30 }, (_, index) => `silent-${index}`);
const HOLE = '127.0.80.1';

// The clock of the operator stands still unless a test sets it forward, so that a busy machine is not too late.
beforeEach(() => vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'performance'] }));
afterEach(() => vi.useRealTimers());

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

/** The stores whose Deployment of gateways was written. */
const applied = ({ written }: ScriptedCluster) =>
  new Set(written.flatMap((path) => path.match(/deployments\/(.*)-gateway/)?.slice(1) ?? []));

test('30 stores whose pods never answer delay no other store', async () => {
  const polls = await blackHole();
  await using cluster = await scriptedCluster({
    largepayloadstores: [...SILENT, 'orders'].map(storeOf),
    pods: podsOf(SILENT),
  });
  // The last store has a status while the first polls are still open: no store waited for a poll.
  await eventualValue(() => cluster.ready('orders'));
  expect(applied(cluster)).toEqual(new Set([...SILENT, 'orders']));
  expect(polls).toEqual({ open: 20, begun: 20, ended: 0 });
});

test('a status waits for the polls of new pods, and not for ever', async () => {
  const polls = await blackHole();
  await podAt(
    '127.0.80.2',
    json(() => ({ ...NOT_READY, store: { namespace: 'shop', name: 'orders' } })),
  );
  await using cluster = await scriptedCluster({
    largepayloadstores: ['orders', ...SILENT].map(storeOf),
    pods: [runningPod('orders-1', 'orders', '127.0.80.2', false), ...podsOf(SILENT)],
  });
  const isTold = (store: string) => cluster.ready(store) !== undefined;
  await eventualValue(() => (isTold('orders') ? true : undefined));
  expect(SILENT.filter(isTold)).toEqual([]);
  await eventualValue(() => (SILENT.every((name) => applied(cluster).has(name)) ? true : undefined));
  // More than the 5 s that a status waits; to poll each pod once takes 15 s.
  let aheadMs = 0;
  await eventualValue(() => {
    if (aheadMs < 10_000) vi.advanceTimersByTime(1_000);
    aheadMs += 1_000;
    return SILENT.every(isTold) ? true : undefined;
  });
  expect(polls.begun).toBeLessThan(podsOf(SILENT).length);
});

test('no pod is polled any more once the poller has ended', async () => {
  const polls = await blackHole();
  await using cluster = await scriptedCluster({
    largepayloadstores: SILENT.map(storeOf),
    pods: podsOf(SILENT),
  });
  await eventualValue(() => (polls.begun === 20 ? true : undefined));
  // The signal ends the polls: their time limit does not pass.
  await cluster.stop();
  await eventualValue(() => (polls.open === 0 ? true : undefined));
  expect(polls.begun).toBe(20);
});
