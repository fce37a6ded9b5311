import { setTimeout as sleep } from 'node:timers/promises';
import { eventualValue } from '@largepayload/testing/waiting/eventually';
import { expect, test } from 'vitest';
import { lookAgain, untilNamespacesAreGone } from '../fixtures/ending-namespaces.fixture.ts';
import { operatorLog, operatorMetrics, untilLeader } from '../fixtures/operator.fixture.ts';
import { StoreBed } from '../fixtures/store.fixture.ts';
import { show } from '../fixtures/table.fixture.ts';

/** With this TTL a PUT takes 30 s at most, and the end of a pod 75 s. */
const SHORT = { ttl: '2m', reaperInterval: '1m' };

/** requests a second while namespaces end; a loop without pauses makes hundreds */
const CALM = 10;

test.for([
  { what: 'TTL 2m', retention: SHORT, limitMs: 120_000 },
  { what: 'TTL Forever', retention: { ttl: 'Forever' }, limitMs: 60_000 },
])('a namespace with a Ready store ends when it is deleted: $what', async ({ what, retention, limitMs }) => {
  await untilNamespacesAreGone();
  await using bed = await StoreBed.make('gone');
  const { cluster, namespace } = bed;
  await bed.applyStore('main', { retention });
  await bed.untilReady('main');
  const operator = await untilLeader();
  const before = await operatorMetrics(operator);
  const began = performance.now();
  const since = new Date();
  await cluster.kubectl('delete', 'namespace', namespace, '--wait=false');
  await eventualValue(
    async () => (await bed.kubectl('get', 'pods', '--output=name')) === '' || undefined,
    90_000,
  );
  const podsGone = performance.now() - began;
  await eventualValue(async () => {
    if (retention.ttl === 'Forever') await lookAgain(namespace);
    await sleep(1_000);
    return (
      (await cluster.kubectl('get', 'namespace', namespace, '--ignore-not-found', '--output=name')) === '' ||
      undefined
    );
  }, limitMs);
  const gone = performance.now() - began;

  const requests = await requestsSince(before, operator);
  const told = (await operatorLog(operator.name, since)).filter((line) =>
    JSON.stringify(line).includes(namespace),
  );
  const complaints = told.filter(({ level }) => level !== 'info');
  expect(complaints.length, JSON.stringify(complaints, undefined, 1)).toBeLessThanOrEqual(10);
  expect(complaints.filter(({ level }) => level === 'error')).toEqual([]);
  const rate = requests / (gone / 1_000);
  expect(rate).toBeLessThanOrEqual(CALM);
  show(
    `namespace deleted with a store in it, ${what}`,
    `pods gone after ${seconds(podsGone)} s, the namespace after ${seconds(gone)} s` +
      `${retention.ttl === 'Forever' ? ' (told to look again)' : ''}; operator: ` +
      `${complaints.length} warnings, ${rate.toFixed(1)} requests/s`,
  );
});

async function requestsSince(
  before: Awaited<ReturnType<typeof operatorMetrics>>,
  operator: Awaited<ReturnType<typeof untilLeader>>,
): Promise<number> {
  const name = 'large_payload_operator_api_requests_total';
  return (await operatorMetrics(operator)).sum(name) - before.sum(name);
}

function seconds(milliseconds: number): string {
  return (milliseconds / 1_000).toFixed(0);
}
