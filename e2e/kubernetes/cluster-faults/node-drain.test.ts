import { eventualValue } from '@largepayload/testing/waiting/eventually';
import { afterEach, expect, test } from 'vitest';
import { PodExits } from '../fixtures/pod-exits.fixture.ts';
import { SlowPayload } from '../fixtures/slow-transfers.fixture.ts';
import { StoreBed } from '../fixtures/store.fixture.ts';
import { suiteCluster } from '../fixtures/suite.fixture.ts';
import { show } from '../fixtures/table.fixture.ts';
import { CodecTraffic, requestTraffic } from '../fixtures/traffic.fixture.ts';

const cluster = await suiteCluster();
const [stays = '', drained] = cluster.nodeNames;
/** duration of the large PUT, at least */
const SECONDS = 15;
const FLAGS = ['--ignore-daemonsets', '--delete-emptydir-data', '--timeout=150s'];

afterEach(async () => {
  for (const node of cluster.nodeNames) await cluster.kubectl('uncordon', node);
});

test.skipIf(drained === undefined)(
  'transfers finish when a node is drained, and requests fail at most retryably',
  { timeout: 420_000 },
  async () => {
    await using bed = await StoreBed.make('drain');
    const payload = new SlowPayload(1_024);
    // Both gateways begin on the node that will be drained.
    await cluster.kubectl('cordon', stays);
    await bed.applyStore('main');
    await bed.untilReady('main');
    await twoAvailable(bed);
    await cluster.kubectl('uncordon', stays);
    const leaving = await podsOf(bed);
    expect(leaving.map(({ node }) => node)).toEqual([drained, drained]);
    const url = await bed.servedUrl('main');
    const requests = requestTraffic(url);
    const codec = new CodecTraffic(url);
    await using exits = new PodExits(bed, 'main');

    const began = performance.now();
    const seconds = () => ((performance.now() - began) / 1_000).toFixed(0);
    const put = payload
      .put(`http://${leaving[0]?.ip}:8577`, SECONDS)
      .then((key) => ({ key, took: seconds() }));
    put.catch(() => {});
    await eventualValue(async () => performance.now() - began > 2_000 || undefined);
    const least = leastAvailable(bed);
    const drain = cluster.run('kubectl', ['drain', drained ?? '', ...FLAGS], { limitMs: 160_000 });
    drain.catch(() => {});
    const { key, took } = await put;
    await drain;
    const drainedAfter = seconds();
    await bed.untilReady('main');
    await Promise.all([requests.stop(), codec.traffic.stop()]);

    expect((await podsOf(bed)).map(({ node }) => node)).toEqual([stays, stays]);
    expect(exits.codes).toEqual(['0', '0']);
    expect(await least()).toBeGreaterThanOrEqual(1);
    expect(requests.failures.filter(({ error }) => error.retryable !== true)).toEqual([]);
    expect(codec.traffic.failures).toEqual([]);
    expect(codec.traffic.done).toBeGreaterThan(100);
    const kept = await codec.fetchAll();
    await payload.get(url, key);
    show(
      'node drained during a PUT of 1 GiB',
      `it completed after ${took} s, the drain after ${drainedAfter} s, both pods ended with 0, never less than one ` +
        `available; ${requests.done} payloads put and got, ${requests.failures.length} answered retryably, by the codec ` +
        `${kept} with none lost`,
    );
  },
);

async function twoAvailable(bed: StoreBed): Promise<void> {
  await eventualValue(async () => (await available(bed)) === 2 || undefined);
}

async function available(bed: StoreBed): Promise<number> {
  const path = '--output=jsonpath={.status.availableReplicas}';
  return Number((await bed.kubectl('get', 'deployment', 'main-gateway', path)) || 0);
}

/** Watches the number of available pods. @returns a function that ends this and returns the minimum */
function leastAvailable(bed: StoreBed): () => Promise<number> {
  let [least, isOver] = [Number.POSITIVE_INFINITY, false];
  const watching = eventualValue(async () => {
    least = Math.min(least, await available(bed));
    return isOver || undefined;
  }, 300_000);
  return async () => {
    isOver = true;
    await watching;
    return least;
  };
}

async function podsOf(bed: StoreBed): Promise<{ node: string; ip: string }[]> {
  const { items } = await bed.json<{ items: Pod[] }>('get', 'pods');
  return items
    .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
    .map(({ spec, status }) => ({ node: spec.nodeName, ip: status.podIP }));
}

interface Pod {
  readonly metadata: { readonly deletionTimestamp?: string };
  readonly spec: { readonly nodeName: string };
  readonly status: { readonly podIP: string };
}
