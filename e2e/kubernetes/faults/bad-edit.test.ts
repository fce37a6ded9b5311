import { setTimeout as sleep } from 'node:timers/promises';
import { CreateBucketCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { startVersitygwAt } from '@largepayload/testing/s3-servers/versitygw';
import { expect, inject, test } from 'vitest';
import { isConfiguration } from '../fixtures/owned-objects.fixture.ts';
import { CREDENTIALS, StoreBed } from '../fixtures/store.fixture.ts';
import { show } from '../fixtures/table.fixture.ts';
import { requestTraffic } from '../fixtures/traffic.fixture.ts';
import { namesOf, podsOf } from './pods.fixture.ts';
import { S3User } from './s3-user.fixture.ts';
import { slowly } from './slowly.fixture.ts';
import { stopwatch } from './stopwatch.fixture.ts';
import { expectCalm } from './what-people-see.fixture.ts';

const KEEPS_SERVING = /^the previous configuration keeps serving/;
/** ms in which a working new pod would have replaced an old one */
const TIME_TO_HARM = 5_000;

/** A gateway with two pods: two serve at any time, and each edit starts a third pod. */
const gatewayWith = (secret: string) => ({ credentialsSecretRef: { name: secret }, replicas: 2 });

test('the pods of a ready store serve on while edits of the store cannot work', {
  timeout: 400_000,
}, async () => {
  await using bed = await StoreBed.make('edit');
  await bed.applyStore('orders', { gateway: gatewayWith(CREDENTIALS) });
  await bed.until('orders', 'GatewayAvailable', { message: /^2 of 2/ });
  const configurations = async () => (await namesOf(bed, 'orders', 'configmaps')).filter(isConfiguration);
  const [original] = await configurations();
  const pods = await podsOf(bed, 'orders');
  await using traffic = requestTraffic(await bed.servedUrl('orders'));

  const nowhere = bed.s3Storage({ endpoint: inject('kubernetesSuite').endpoint.replace(/\d+$/, '1') });
  await bed.applyStore('orders', { gateway: gatewayWith(CREDENTIALS), storage: nowhere });
  const endpoint = await expectHarmless(bed, pods, 'StorageUnavailable');
  await makeAnew(bed, pods[0]?.name ?? '');

  await bed.applyStore('orders', { gateway: gatewayWith('gone') });
  const secret = await expectHarmless(bed, pods.slice(1), 'SecretMissing');

  await using twin = await anotherServer(bed.bucket);
  const elsewhere = bed.s3Storage({ endpoint: twin.endpoint });
  await bed.applyStore('orders', { gateway: gatewayWith(CREDENTIALS), storage: elsewhere });
  const empty = await expectHarmless(bed, pods.slice(1), 'IdentityMissing');
  await twin.begin({ namespace: bed.namespace, name: 'orders' });
  const namesake = await expectHarmless(bed, pods.slice(1), 'StorageReplaced');

  await (await S3User.make(bed, 'read-only')).mayOnly('s3:GetObject', 's3:ListBucket');
  await bed.applyStore('orders', { gateway: gatewayWith('read-only') });
  const readOnly = await expectHarmless(bed, pods.slice(1), 'StorageDenied');
  expect(readOnly).toContain('s3:PutObject');
  const during = traffic.done;
  expect(traffic.failures).toEqual([]);

  const readyAfter = stopwatch();
  await bed.applyStore('orders', { gateway: gatewayWith(CREDENTIALS), maxPayloadSize: '64Mi' });
  await bed.untilReady('orders');
  const ready = readyAfter();
  const config = await slowly(async () => {
    const [name, ...more] = await configurations();
    return more.length === 0 ? name : undefined;
  });
  expect(config).not.toBe(original);
  expect(traffic.failures).toEqual([]);
  await expectCalm(bed, 'orders');
  show('edit: endpoint of nobody', endpoint);
  show('edit: Secret of nobody', secret);
  show('edit: endpoint of another server, an empty bucket of that name', empty);
  show("edit: endpoint of another server, another cluster's store of that name", namesake);
  show('edit: Secret that may only read', readOnly);
  show(
    'edit: corrected',
    `Ready after ${ready}, old ConfigMaps deleted; of ${traffic.done} payloads put and got, ${during} of them before, 0 failed`,
  );
});

/** Another S3 server, with an empty bucket of the same name. */
async function anotherServer(bucket: string) {
  const { endpoint } = inject('kubernetesSuite');
  const server = await startVersitygwAt(new URL(endpoint).hostname);
  await server.client.send(new CreateBucketCommand({ Bucket: bucket }));
  return {
    endpoint: server.endpoint,
    /** Writes `store.json`, as a gateway of another cluster would. */
    begin: async (identity: object) => {
      const Body = JSON.stringify({ ...identity, id: crypto.randomUUID() });
      await server.client.send(new PutObjectCommand({ Bucket: bucket, Key: 'store.json', Body }));
    },
    [Symbol.asyncDispose]: () => server.stop(),
  };
}

/** Waits until Ready reports that the edit does not work, and asserts that the old pods serve on. @returns the message of Ready */
async function expectHarmless(bed: StoreBed, pods: readonly object[], reason: string): Promise<string> {
  const wanted = { status: 'False', reason, message: KEEPS_SERVING };
  await bed.until('orders', 'Ready', wanted);
  await sleep(TIME_TO_HARM);
  const { message } = await bed.until('orders', 'Ready', wanted, 0);
  await bed.until('orders', 'GatewayAvailable', { status: 'True', reason: 'PodsAvailable' }, 0);
  expect(await podsOf(bed, 'orders')).toEqual(expect.arrayContaining([...pods]));
  return message;
}

/** Deletes a pod, which must come back with the configuration that works. */
async function makeAnew(bed: StoreBed, pod: string): Promise<void> {
  await bed.kubectl('delete', 'pod', pod, '--wait=false');
  await bed.until('orders', 'GatewayAvailable', { message: /^1 of 2/ });
  await bed.until('orders', 'GatewayAvailable', { message: /^2 of 2/ });
}
