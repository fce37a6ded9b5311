import { ListObjectsV2Command } from '@aws-sdk/client-s3';
import { MetricsReading } from '@largepayload/testing/servers/metrics-reading';
import { eventualValue } from '@largepayload/testing/waiting/eventually';
import { expect, test } from 'vitest';
import { objectsOf } from '../fixtures/owned-objects.fixture.ts';
import { PodExits } from '../fixtures/pod-exits.fixture.ts';
import { SlowPayload } from '../fixtures/slow-transfers.fixture.ts';
import { StoreBed } from '../fixtures/store.fixture.ts';
import { show } from '../fixtures/table.fixture.ts';

const STORE = 'main';
/** duration of the transfers, longer than the time until all pods have got SIGTERM */
const TRANSFER_SECONDS = 40;

test('a store that is deleted while it serves, and made again, keeps its payloads', async () => {
  await using bed = await StoreBed.make('deleted');
  await bed.applyStore(STORE);
  await bed.untilReady(STORE);
  const url = await bed.servedUrl(STORE);
  const stored = new SlowPayload(64);
  const key = await stored.put(url, 0);

  const incoming = new SlowPayload(64);
  await using exits = new PodExits(bed, STORE);
  const transfers = Promise.all([
    incoming.put(url, TRANSFER_SECONDS),
    stored.get(url, key, TRANSFER_SECONDS),
  ]);
  transfers.catch(() => {});
  await eventualValue(async () => (await requestsUnderWay(bed)) >= 2 || undefined, 20_000);
  const deleted = performance.now();
  const took = () => ((performance.now() - deleted) / 1_000).toFixed(0);
  await bed.kubectl('delete', 'lps', STORE);
  await eventualValue(async () => (await stayingPods(bed)).length === 0 || undefined, 60_000);
  expect(await requestsUnderWay(bed)).toBeGreaterThanOrEqual(2);
  const [incomingKey] = await transfers;
  await eventualValue(async () => (await objectsOf(bed, STORE)).length === 0 || undefined, 60_000);
  const seconds = took();
  expect(exits.codes).toEqual(['0', '0']);

  const { Contents = [] } = await bed.s3.send(new ListObjectsV2Command({ Bucket: bed.bucket }));
  const payloads = Contents.filter(({ Key }) => /^\/?blobs\//.test(Key ?? ''));
  expect(payloads).toHaveLength(2);
  await bed.applyStore(STORE);
  await bed.untilReady(STORE);
  const again = await bed.servedUrl(STORE);
  await stored.get(again, key);
  await incoming.get(again, incomingKey);
  show(
    'store deleted while it serves',
    `PUT and GET of ${TRANSFER_SECONDS} s in flight completed, pods ended with 0, all objects gone after ` +
      `${seconds} s, data stays; made again, it serves the keys of before`,
  );
});

async function requestsUnderWay(bed: StoreBed): Promise<number> {
  const counts = (await pods(bed)).map(async ({ status }) => {
    // A pod without transfers ends at once, and its address with it.
    const reading = await MetricsReading.of(`${status.podIP}:8578`).catch(() => undefined);
    return reading?.sum('payload_store_in_flight_requests') ?? 0;
  });
  return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
}

async function stayingPods(bed: StoreBed): Promise<Pod[]> {
  return (await pods(bed)).filter(({ metadata }) => metadata.deletionTimestamp === undefined);
}

async function pods(bed: StoreBed): Promise<Pod[]> {
  const selector = `--selector=largepayload.dev/store=${STORE}`;
  return (await bed.json<{ items: Pod[] }>('get', 'pods', selector)).items;
}

interface Pod {
  readonly metadata: { readonly name: string; readonly deletionTimestamp?: string };
  readonly status: { readonly podIP?: string };
}
