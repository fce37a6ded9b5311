import { CreateBucketCommand } from '@aws-sdk/client-s3';
import { describe, expect, test } from 'vitest';
import { StoreBed } from '../fixtures/store.fixture.ts';
import { show } from '../fixtures/table.fixture.ts';
import { checkFromPod } from './check-pod.fixture.ts';
import { stopwatch } from './stopwatch.fixture.ts';
import { expectCalm } from './what-people-see.fixture.ts';

describe.concurrent('a store on a bucket', () => {
  test('becomes ready when the missing bucket is made', async () => {
    await using bed = await StoreBed.make('bucket');
    const bucket = `${bed.bucket}-later`;
    const untilWords = stopwatch();
    await bed.applyStore('orders', { storage: bed.s3Storage({ bucket }), retention: { ttl: '30d' } });
    const { message } = await bed.until('orders', 'Ready', { status: 'False', reason: 'BucketMissing' });
    const said = untilWords();
    expect(message).toContain(`bucket ${bucket} `);
    expect(message).toContain('create it');
    await bed.until('orders', 'GatewayAvailable', { status: 'False', reason: 'BucketMissing' });
    await bed.until('orders', 'ReaperHealthy', { status: 'False', reason: 'BucketMissing' });
    expect(await bed.kubectl('get', 'lps')).toMatch(/^orders +False +BucketMissing +30d/m);
    const readyAfter = stopwatch();
    await bed.s3.send(new CreateBucketCommand({ Bucket: bucket }));
    await bed.untilReady('orders');
    const mended = readyAfter();
    await bed.until('orders', 'ReaperHealthy', { status: 'True' });
    expect(await checkFromPod(bed, 'orders')).toContain('digest verified');
    const events = await expectCalm(bed, 'orders');
    show('bucket missing', `after ${said}: ${message}; Ready ${mended} after it was made; ${events} Events`);
  });

  test('is refused when another store owns the bucket', async () => {
    await using first = await StoreBed.make('owner');
    await using second = await StoreBed.make('guest');
    await first.applyStore('orders');
    await first.untilReady('orders');
    await second.applyStore('orders', { storage: first.s3Storage() });
    const { message } = await second.until('orders', 'Ready', { reason: 'StorageOwnedByAnotherStore' });
    expect(message).toContain(`belongs to the store ${first.namespace}/orders`);
    expect(await checkFromPod(first, 'orders')).toContain('digest verified');
    await first.untilReady('orders', 0);
    await expectCalm(first, 'orders');

    const behindPrefix = { storage: first.s3Storage({ prefix: 'second/' }) };
    await expect(second.applyStore('orders', behindPrefix)).rejects.toThrow(
      'bucket and prefix cannot change',
    );
    await second.kubectl('delete', 'lps', 'orders');
    const readyAfter = stopwatch();
    await second.applyStore('orders', behindPrefix);
    await second.untilReady('orders');
    const ready = readyAfter();
    expect(await checkFromPod(second, 'orders')).toContain('digest verified');
    await expectCalm(second, 'orders');
    show('two stores, one bucket', `${message}; made again behind a prefix: Ready after ${ready}`);
  });
});
