import { expect, test } from 'vitest';
import { CREDENTIALS, StoreBed } from '../fixtures/store.fixture.ts';
import { show } from '../fixtures/table.fixture.ts';
import { ImageMirror } from './image-mirror.fixture.ts';
import { stopwatch } from './stopwatch.fixture.ts';
import { expectCalm } from './what-people-see.fixture.ts';

/** The name is reserved, so no registry has it. */
const IMAGE = 'registry.invalid/mirror/payload-store:0.1.0';

test('Ready reports a webhook of the cluster that fails, then one that sets an image that does not exist', async () => {
  await using bed = await StoreBed.make('image');
  await using mirror = await ImageMirror.start(bed);
  await bed.applyStore('orders', {
    gateway: { credentialsSecretRef: { name: CREDENTIALS }, replicas: 1 },
  });
  const failed = await bed.until('orders', 'Ready', { status: 'False', reason: 'WebhookFailed' });
  expect(failed.message).toContain('image-mirror.example.com');

  mirror.image = IMAGE;
  const pulling = await bed.until('orders', 'Ready', { status: 'False', reason: 'ImagePullFailed' });
  expect(pulling.message).toContain(`image ${IMAGE} `);
  expect(pulling.message).toMatch(/node \S+ cannot get/);

  mirror.image = undefined;
  const readyAfter = stopwatch();
  await bed.kubectl('rollout', 'restart', 'deployment', 'orders-gateway');
  await bed.untilReady('orders');
  const ready = readyAfter();
  await expectCalm(bed, 'orders');
  show("a cluster's webhook fails", failed.message);
  show('image that cannot be pulled', `${pulling.message}; mended and restarted: Ready after ${ready}`);
});
