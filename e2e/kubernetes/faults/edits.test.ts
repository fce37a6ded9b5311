import { describe, expect, test } from 'vitest';
import { putPayload, withClient } from '../fixtures/payloads.fixture.ts';
import { CREDENTIALS, StoreBed } from '../fixtures/store.fixture.ts';
import { show } from '../fixtures/table.fixture.ts';
import { namesOf, podsOf } from './pods.fixture.ts';
import { slowly } from './slowly.fixture.ts';
import { stopwatch } from './stopwatch.fixture.ts';
import { expectCalm } from './what-people-see.fixture.ts';

const gateway = { credentialsSecretRef: { name: CREDENTIALS }, replicas: 1 };

interface Scaled {
  readonly spec: { readonly replicas?: number };
  readonly status: { readonly replicas: number };
}

describe.concurrent('edits of a store', { timeout: 240_000 }, () => {
  test('kubectl scale on the store changes its pods, and on the Deployment is undone', async () => {
    await using bed = await StoreBed.make('scale');
    await bed.applyStore('orders');
    await bed.untilReady('orders');
    const untilScaled = stopwatch();
    await bed.kubectl('scale', 'lps', 'orders', '--replicas=3');
    await bed.until('orders', 'GatewayAvailable', { status: 'True', message: /^3 of 3/ });
    const scaled = untilScaled();
    await bed.untilReady('orders');
    const { status } = await bed.json<Scaled>('get', 'lps', 'orders');
    expect(status.replicas).toBe(3);
    expect(await podsOf(bed, 'orders', 'gateway')).toHaveLength(3);

    const untilRestored = stopwatch();
    await bed.kubectl('scale', 'deployment', 'orders-gateway', '--replicas=1');
    await slowly(async () => {
      const { spec, status } = await bed.json<Scaled>('get', 'deployment', 'orders-gateway');
      return spec.replicas === 3 && status.replicas === 3 ? true : undefined;
    });
    const restored = untilRestored();
    await bed.until('orders', 'GatewayAvailable', { status: 'True', message: /^3 of 3/ });
    await expectCalm(bed, 'orders');
    show(
      'kubectl scale lps --replicas 3',
      `3 pods after ${scaled}; the Deployment scaled by hand: undone after ${restored}`,
    );
  });

  test('a store whose TTL is removed and set again loses its reaper and gets it back', async () => {
    await using bed = await StoreBed.make('ttl');
    const withTtl = { gateway, retention: { ttl: '30d' } };
    await bed.applyStore('orders', withTtl);
    await bed.untilReady('orders');
    const put = async () =>
      await withClient(await bed.servedUrl('orders'), (client) => putPayload(client, 200_000));
    const expiring = await put();
    expect(expiring.key).toMatch(/^\/expires-\d{8}T000000Z-30d\//);

    const foreverAfter = stopwatch();
    await bed.applyStore('orders', { gateway, retention: { ttl: 'Forever' } });
    await bed.until('orders', 'ReaperHealthy', { status: 'True', reason: 'NotNeeded' });
    for (const kind of ['deployments', 'serviceaccounts', 'networkpolicies']) {
      await untilNames(bed, kind, ['orders-gateway']);
    }
    await bed.untilReady('orders');
    const forever = foreverAfter();
    await untilPods(bed, 1);
    const kept = await put();
    expect(kept.key).toMatch(/^\/blobs\//);

    const backAfter = stopwatch();
    await bed.applyStore('orders', withTtl);
    await bed.until('orders', 'ReaperHealthy', { status: 'True', reason: 'Reaping' });
    for (const kind of ['deployments', 'serviceaccounts', 'networkpolicies']) {
      await untilNames(bed, kind, ['orders-gateway', 'orders-reaper']);
    }
    await bed.untilReady('orders');
    const back = backAfter();
    await untilPods(bed, 2);
    await withClient(await bed.servedUrl('orders'), async (client) => {
      for (const stored of [expiring, kept]) await client.get(stored);
    });
    expect((await put()).key).toMatch(/^\/expires-\d{8}T000000Z-30d\//);
    await expectCalm(bed, 'orders');
    show(
      'TTL to Forever, and back',
      `${forever}: reaper, its account and policy have gone; ${back}: they are back; payloads kept their windows`,
    );
  });

  test('a gateway refuses payloads of a namespace that temporalNamespaces does not name', async () => {
    await using bed = await StoreBed.make('spaces');
    await bed.applyStore('orders', { gateway, temporalNamespaces: ['orders', 'billing'] });
    await bed.untilReady('orders');
    await withClient(await bed.servedUrl('orders'), async (client) => {
      await client.get(await putPayload(client, 200_000, 'billing'));
      const refused = await putPayload(client, 200_000, 'payments').catch((error: Error) => error);
      expect(refused).toMatchObject({ name: 'PayloadRejectedError', status: 403 });
      show('PUT for another Temporal namespace', `403: ${(refused as Error).message}`);
    });
    await expectCalm(bed, 'orders');
  });
});

async function untilNames(bed: StoreBed, kind: string, wanted: readonly string[]): Promise<void> {
  await slowly(async () => {
    const names = await namesOf(bed, 'orders', kind);
    return names.join() === wanted.join() ? true : undefined;
  });
}

/** Waits until there are so many pods: ending pods serve some seconds longer, by their old configuration. */
async function untilPods(bed: StoreBed, count: number): Promise<void> {
  await slowly(async () => ((await namesOf(bed, 'orders', 'pods')).length === count ? true : undefined));
}
