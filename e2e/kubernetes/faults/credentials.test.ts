import { ACCESS_KEY, SECRET_KEY } from '@largepayload/testing/s3-servers/s3-server';
import { describe, expect, test } from 'vitest';
import { CREDENTIALS, StoreBed } from '../fixtures/store.fixture.ts';
import { show } from '../fixtures/table.fixture.ts';
import { checkFromPod } from './check-pod.fixture.ts';
import { podsOf } from './pods.fixture.ts';
import { S3User } from './s3-user.fixture.ts';
import { stopwatch } from './stopwatch.fixture.ts';
import { expectCalm } from './what-people-see.fixture.ts';

/** ms in which the kubelet updates a changed Secret in a pod, and the pod retries */
const SECRET_LIMIT = 200_000;

describe.concurrent('a store with credentials', { timeout: 480_000 }, () => {
  test('becomes ready without new pods when wrong credentials are corrected', async () => {
    await using bed = await StoreBed.make('wrong');
    await bed.applySecret(CREDENTIALS, ACCESS_KEY, 'not-the-secret-key');
    const untilWords = stopwatch();
    await bed.applyStore('orders');
    const { message } = await bed.until('orders', 'Ready', { reason: 'StorageDenied' });
    const said = untilWords();
    expect(message).toContain(`Secret ${CREDENTIALS}`);
    expect(message).not.toMatch(new RegExp(`${ACCESS_KEY}|not-the-secret-key`));
    const before = await podsOf(bed, 'orders');
    const readyAfter = stopwatch();
    await bed.applySecret(CREDENTIALS, ACCESS_KEY, SECRET_KEY);
    await bed.untilReady('orders', SECRET_LIMIT);
    const mended = readyAfter();
    expect(await podsOf(bed, 'orders'), 'no pod was made anew or restarted').toEqual(before);
    expect(await checkFromPod(bed, 'orders')).toContain('digest verified');
    await expectCalm(bed, 'orders');
    show(
      'credentials wrong',
      `after ${said}: ${message}; corrected: Ready after ${mended}, the pods are the same`,
    );
  });

  test('reports a Secret that does not exist, then one without the keys', async () => {
    await using bed = await StoreBed.make('secret');
    const gateway = { credentialsSecretRef: { name: 'later' }, replicas: 1 };
    const untilWords = stopwatch();
    await bed.applyStore('orders', { gateway });
    const { message } = await bed.until('orders', 'Ready', { reason: 'SecretMissing' });
    const said = untilWords();
    expect(message).toContain(
      `the Secret later (spec.gateway.credentialsSecretRef) does not exist in namespace ${bed.namespace}`,
    );
    await bed.apply({
      ...{ apiVersion: 'v1', kind: 'Secret', metadata: { name: 'later' } },
      stringData: { accessKey: ACCESS_KEY, secretKey: SECRET_KEY },
    });
    const wanted = { reason: 'SecretMissing', message: /the Secret later .* has no key AWS_ACCESS_KEY_ID/ };
    const lacking = await bed.until('orders', 'Ready', wanted, SECRET_LIMIT);
    const readyAfter = stopwatch();
    await bed.applySecret('later', ACCESS_KEY, SECRET_KEY);
    await bed.untilReady('orders', SECRET_LIMIT);
    const mended = readyAfter();
    await expectCalm(bed, 'orders');
    show(
      'Secret missing',
      `after ${said}: ${message}; with other keys: ${lacking.message}; corrected: Ready after ${mended}`,
    );
  });

  test('reports credentials that do not allow to list the bucket', async () => {
    await using bed = await StoreBed.make('denied');
    const user = await S3User.make(bed, CREDENTIALS);
    await user.mayOnly('s3:PutObject', 's3:GetObject');
    const untilWords = stopwatch();
    await bed.applyStore('orders');
    const { message } = await bed.until('orders', 'Ready', { reason: 'StorageDenied' });
    const said = untilWords();
    expect(message).toContain(bed.bucket);
    expect(message).toContain('s3:ListBucket');
    const readyAfter = stopwatch();
    await user.mayOnly('s3:PutObject', 's3:GetObject', 's3:ListBucket');
    await bed.untilReady('orders');
    const mended = readyAfter();
    expect(await checkFromPod(bed, 'orders')).toContain('digest verified');
    await expectCalm(bed, 'orders');
    show('policy without list', `after ${said}: ${message}; allowed: Ready after ${mended}`);
  });
});
