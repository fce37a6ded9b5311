import { expect, test } from 'vitest';
import { putPayload, type StoredPayload, withClient } from '../fixtures/payloads.fixture.ts';
import { StoreBed } from '../fixtures/store.fixture.ts';
import { show } from '../fixtures/table.fixture.ts';
import { checkFromPod } from './check-pod.fixture.ts';
import { HostVolume } from './host-volume.fixture.ts';
import { namesOf, podsOf } from './pods.fixture.ts';
import { slowly } from './slowly.fixture.ts';
import { stopwatch } from './stopwatch.fixture.ts';
import { expectCalm } from './what-people-see.fixture.ts';

interface Deployment {
  readonly spec: { readonly replicas: number; readonly strategy: { readonly type: string } };
}

test('a store whose claim is missing becomes ready when the claim is made, and its pod can be replaced', {
  timeout: 300_000,
}, async () => {
  await using bed = await StoreBed.make('claim');
  await using volume = await HostVolume.make(bed);
  const untilWords = stopwatch();
  await bed.applyStore('orders', {
    storage: { filesystem: { claimName: 'payloads' } },
    gateway: undefined,
    reaper: undefined,
    retention: { ttl: '8s', reaperInterval: '5s' },
  });
  const { message } = await bed.until('orders', 'Ready', { status: 'False', reason: 'ClaimMissing' });
  const said = untilWords();
  expect(message).toContain('PersistentVolumeClaim payloads');
  const readyAfter = stopwatch();
  await volume.claim('payloads');
  await bed.untilReady('orders');
  const ready = readyAfter();
  const { spec } = await bed.json<Deployment>('get', 'deployment', 'orders-gateway');
  expect(spec).toMatchObject({ replicas: 1, strategy: { type: 'Recreate' } });
  expect(await namesOf(bed, 'orders', 'deployments')).toEqual(['orders-gateway']);
  expect(await checkFromPod(bed, 'orders')).toContain('digest verified');

  const lost = await restartAndFetch(bed);
  const untilReaped = stopwatch();
  await bed.until('orders', 'ReaperHealthy', { status: 'True', reason: 'Reaping' });
  await untilGone(bed, lost);
  const reaped = untilReaped();
  await expectCalm(bed, 'orders');
  show(
    'claim missing',
    `after ${said}: ${message}; Ready ${ready} after it was made; 5 MB stored and fetched, there after the pod was made anew, reaped ${reaped} later`,
  );
});

/** Stores a payload, removes the pod and fetches the payload from the next one. */
async function restartAndFetch(bed: StoreBed): Promise<StoredPayload> {
  const url = await bed.servedUrl('orders');
  const stored = await withClient(url, (client) => putPayload(client, 300_000));
  const [before] = await podsOf(bed, 'orders');
  await bed.kubectl('delete', 'pod', before?.name ?? '');
  const [after] = await podsOf(bed, 'orders');
  expect(after?.name).not.toBe(before?.name);
  await slowly(() => withClient(url, (client) => client.get(stored)).catch(() => undefined));
  await bed.untilReady('orders');
  return stored;
}

async function untilGone(bed: StoreBed, stored: StoredPayload): Promise<void> {
  const url = await bed.url('orders');
  await slowly(async () => {
    const get = withClient(url, (client) => client.get(stored));
    const name = await get.then(
      () => 'there',
      (error: Error) => error.name,
    );
    return name === 'PayloadNotFoundError' ? true : undefined;
  }, 180_000);
}
