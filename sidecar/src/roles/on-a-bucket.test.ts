import { createServer } from 'node:net';
import { join } from 'node:path';
import {
  CreateBucketCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import { unlessMissing } from '@largepayload/testing/programs/unless-missing';
import { ACCESS_KEY, type S3Server, writeCredentials } from '@largepayload/testing/s3-servers/s3-server';
import { startSeaweedfs } from '@largepayload/testing/s3-servers/seaweedfs';
import { call, expectError, keyOf } from '@largepayload/testing/service/http-call';
import { manifestOn } from '@largepayload/testing/service/manifest';
import { leaseOf } from '@largepayload/testing/service/own-objects';
import { getPath, testPayload } from '@largepayload/testing/service/payload';
import { realProgram, type ServingProcess } from '@largepayload/testing/service/real-program';
import { metric } from '@largepayload/testing/service/running-service';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { afterAll, describe, expect, test } from 'vitest';
import type { S3Location } from '../drivers/s3/s3-client.ts';
import type { RoleName } from './role.ts';

/** Longer than the longest pause between two tries. */
const HEALING_LIMIT = 20_000;

const EXPIRED = `expires-20200101T000000Z-30d/orders/common/sha256:${'0'.repeat(64)}/sha256:${'0'.repeat(64)}`;

const server = (await unlessMissing(startSeaweedfs)) as S3Server;
afterAll(() => server?.stop());
const { serve, run, newFolder } = realProgram();

interface Place {
  readonly s3: Partial<S3Location> & { readonly bucket: string };
  readonly name?: string;
  readonly credentials?: string;
  readonly args?: readonly string[];
}

function start(
  role: RoleName,
  { s3, name = 'example', credentials, args = [] }: Place,
): Promise<ServingProcess> {
  const manifest = manifestOn({ s3 }, { name, namespace: 'payments', ttl: '1h' });
  const folder = credentials ?? server.credentialsFolder;
  return serve({ role, manifest, args: ['--credentials-dir', folder, ...args] });
}

const json = async (service: ServingProcess, path: string) => {
  const { status, body } = await call(service.metrics, path);
  return { httpStatus: status, ...JSON.parse(body.toString()) };
};
const says = (service: ServingProcess, text: string) =>
  eventually(
    `/readyz says: ${text}`,
    async () => (await json(service, '/readyz')).error?.message.includes(text),
    HEALING_LIMIT,
  );
const ready = (service: ServingProcess) =>
  eventually('ready', async () => (await json(service, '/readyz')).httpStatus === 200, HEALING_LIMIT);
const put = (service: ServingProcess, content: string) => {
  const { bytes, putPath, putHeaders } = testPayload(content);
  return call(service.data, putPath, { method: 'PUT', headers: putHeaders, body: bytes });
};
const objectsIn = async ({ bucket }: { bucket: string }) => {
  const { Contents = [] } = await server.client.send(new ListObjectsV2Command({ Bucket: bucket }));
  // Gateways write it when they come to it.
  return Contents.flatMap(({ Key = '' }) => (Key.endsWith('clock.json') ? [] : [Key]));
};

describe.skipIf(server === undefined)('on a bucket', () => {
  test.concurrent('a bucket that is not there yet is waited for', async () => {
    const bucket = 'created-later';
    const s3 = { bucket, endpoint: server.endpoint, forcePathStyle: true };
    await using gateway = await start('gateway', { s3 });
    await says(gateway, 'does not exist; create it');
    expect((await call(gateway.metrics, '/healthz')).status).toBe(200);
    expect(await json(gateway, '/status')).toEqual({
      httpStatus: 200,
      store: { namespace: 'payments', name: 'example' },
      role: 'gateway',
      version: expect.stringMatching(/^\d/),
      authentication: 'None',
      storage: 's3',
      storageID: null,
      ready: false,
      error: {
        ...{ code: 'storage_unavailable', message: expect.stringContaining(bucket) },
        ...{ reason: 'BucketMissing', parameters: {} },
      },
      reaper: null,
      revision: expect.any(String),
    });
    expectError(await put(gateway, 'too early'), 'storage_unavailable');
    await server.client.send(new CreateBucketCommand({ Bucket: bucket }));
    await ready(gateway);
    expect((await put(gateway, 'in time')).status).toBe(201);
  });

  test.concurrent('credentials that are not there yet, or wrong, may come and be rotated', async () => {
    const credentials = join(await newFolder('not mounted'), 'yet');
    await using gateway = await start('gateway', { s3: await server.newBucket(), credentials });
    await says(gateway, 'cannot read the credentials file');
    writeCredentials(credentials, ACCESS_KEY, 'a wrong secret');
    await says(gateway, 'not accepted (SignatureDoesNotMatch)');
    expect((await json(gateway, '/status')).error.code).toBe('storage_denied');
    expectError(await put(gateway, 'not yet'), 'storage_denied');
    writeCredentials(credentials);
    await ready(gateway);
    expect((await put(gateway, 'now')).status).toBe(201);
    writeCredentials(credentials, ACCESS_KEY, 'a wrong secret again');
    await eventually('it is told now', async () => (await json(gateway, '/status')).ready === false);
    expect((await json(gateway, '/readyz')).httpStatus).toBe(200);
  });

  test.concurrent('the second store of one place is told whose it is, and the first one goes on', async () => {
    const s3 = { ...(await server.newBucket()), prefix: 'shared/' };
    await using first = await start('gateway', { s3, name: 'first' });
    await ready(first);
    await using second = await start('gateway', { s3, name: 'second' });
    await says(second, 'the storage belongs to the store payments/first, not to payments/second');
    const before = await objectsIn(s3);
    const refused = await put(second, 'of the second');
    expectError(refused, 'storage_unavailable');
    expect(refused.body.toString()).toContain('payments/first');
    const key = keyOf(await put(first, 'of the first'));
    const { getHeaders } = testPayload('of the first');
    expectError(await call(second.data, getPath(key), { headers: getHeaders }), 'storage_unavailable');
    expect(await objectsIn(s3)).toHaveLength(before.length + 1);
    expect((await json(first, '/status')).ready).toBe(true);
  });

  test.concurrent('the pods of another cluster with the same manifest store and delete nothing, and say where it is', async () => {
    const s3 = await server.newBucket();
    const of = (cluster: string) => ['--resource-uid', `uid-${cluster}`, '--cluster-name', cluster];
    await using first = await start('gateway', { s3, args: of('prod') });
    await ready(first);
    await server.client.send(new PutObjectCommand({ Bucket: s3.bucket, Key: EXPIRED, Body: 'expired' }));
    const before = await objectsIn(s3);
    await using gateway = await start('gateway', { s3, args: of('staging') });
    await using reaper = await start('reaper', { s3, args: of('staging') });
    for (const service of [gateway, reaper]) {
      await says(service, 'in use by payments/example of the cluster prod (uid-prod) since 20');
    }
    expectError(await put(gateway, 'not stored'), 'storage_unavailable');
    const refused = await call(reaper.admin, '/admin/payload-store/cleanup?age=1s', { method: 'POST' });
    expect(refused.body.toString()).toContain('in use by');
    expect(await objectsIn(s3)).toEqual(before);
    expect((await put(first, 'stored')).status).toBe(201);
    await using own = await start('reaper', { s3, args: of('prod') });
    await eventually('its own reaper deletes', async () => !(await objectsIn(s3)).includes(EXPIRED));
    expect((await json(own, '/status')).lease).toMatchObject({ holder: 'uid-prod', cluster: 'prod' });
  });

  test.concurrent('a store at the root of a bucket leaves those behind prefixes alone, and they it', async () => {
    const { bucket, ...place } = await server.newBucket();
    const keys = ['', 'orders/', 'a/b/'].map((prefix) => `${prefix}${EXPIRED}`);
    for (const Key of keys)
      await server.client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: 'expired' }));
    const at = (prefix: string) => ({
      s3: { ...place, bucket, prefix },
      name: prefix === '' ? 'root' : 'orders',
    });
    const expired = async () => (await objectsIn({ bucket })).filter((key) => key?.includes('expires-2020'));
    {
      await using root = await start('standalone', at(''));
      await eventually('its own is gone', async () => (await expired()).length === 2);
      const cleanup = ['cleanup', '--older-than', '1s', '--admin-url', `http://${root.admin}`];
      expect((await run(cleanup)).code).toBe(0);
      expect(await expired()).toEqual(keys.slice(1).toSorted());
    }
    await using orders = await start('standalone', at('orders/'));
    await eventually('its own is gone', async () => (await expired()).length === 1);
    expect((await put(orders, 'behind a prefix')).status).toBe(201);
    expect(await expired()).toEqual([`a/b/${EXPIRED}`]);
  });

  test.concurrent('behind a prefix within another’s windows no store is begun, and one of 0.1 serves and deletes nothing', async () => {
    const { bucket, ...place } = await server.newBucket();
    const s3 = { ...place, bucket, prefix: 'expires-a/' };
    await expect(start('standalone', { s3 })).rejects.toThrow(
      'no store may be begun here: the prefix "expires-a/" has a segment that stores keep for themselves',
    );
    await using waiting = await start('gateway', { s3 });
    await says(waiting, 'no store may be begun here');
    expect(await objectsIn({ bucket })).toEqual([]);
    const Body = JSON.stringify({ namespace: 'payments', name: 'example' });
    const objects = { [`expires-a/${EXPIRED}`]: 'expired', 'expires-a/store.json': Body };
    for (const [Key, text] of Object.entries(objects))
      await server.client.send(new PutObjectCommand({ Bucket: bucket, Key, Body: text }));
    await ready(waiting);
    expect((await put(waiting, 'goes on')).status).toBe(201);
    await using reaper = await start('reaper', { s3 });
    await eventually('it says why', async () =>
      /nothing is deleted: the prefix/.test((await json(reaper, '/status')).reaper.lastError ?? ''),
    );
    const cleanup = await call(reaper.admin, '/admin/payload-store/cleanup?age=1s', { method: 'POST' });
    expect(cleanup.body.toString()).toContain('copy the data to a store of another prefix');
    expect(await objectsIn({ bucket })).toContain(`expires-a/${EXPIRED}`);
  });

  test.concurrent('a reaper waits until a gateway has claimed the storage, then deletes; the gateway may not', async () => {
    const s3 = await server.newBucket();
    const expired = EXPIRED;
    await server.client.send(new PutObjectCommand({ Bucket: s3.bucket, Key: expired, Body: 'expired' }));
    await using reaper = await start('reaper', { s3 });
    await says(reaper, 'no store.json yet; a gateway of the store writes it');
    expect(reaper.log.at(0)).toMatchObject({ msg: 'listening', role: 'reaper' });
    expect(reaper.log.at(0)).not.toHaveProperty('data');
    expect(await objectsIn(s3)).toEqual([expired]);

    await using gateway = await start('gateway', { s3 });
    await ready(gateway);
    await ready(reaper);
    await eventually('it was reaped', async () => !(await objectsIn(s3)).includes(expired));
    expect((await json(reaper, '/status')).reaper).toEqual({
      lastCompletedTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT/),
    });
    const deleted = () => metric(reaper, 'payload_store_cleanup_deleted_total');
    await eventually('it was counted', async () => (await deleted()) === 1);

    const clock = { Bucket: s3.bucket, Key: 'clock.json' };
    const written = await server.client.send(new GetObjectCommand(clock));
    const { mark } = JSON.parse((await written.Body?.transformToString()) ?? '');
    expect(Date.parse(mark)).toBeLessThan(Date.now() + 60_000);

    await put(gateway, 'stays');
    const cleanup = (service: ServingProcess) =>
      run(['cleanup', '--older-than', '1d', '--admin-url', `http://${service.admin}`]);
    expect(await cleanup(gateway)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining("ask the admin port of the store's reaper"),
    });
    expect((await cleanup(reaper)).code).toBe(0);
    expect((await objectsIn(s3)).slice(-2)).toEqual(['lease.json', 'store.json']);
    expect(await objectsIn(s3)).toHaveLength(3);
    reaper.process.kill('SIGTERM');
    expect(await reaper.exited).toBe(0);
  });

  test.concurrent('a storage without a known time, or with one of long ago: the reaper waits until a gateway accepts the clock', async () => {
    const s3 = await server.newBucket();
    const expired = `expires-20200101T000000Z-30d/orders/common/sha256:${'0'.repeat(64)}/sha256:${'0'.repeat(64)}`;
    const write = (Key: string, Body: string) =>
      server.client.send(new PutObjectCommand({ Bucket: s3.bucket, Key, Body }));
    await write(expired, 'expired');
    await write('store.json', JSON.stringify({ namespace: 'payments', name: 'example' }));
    await write('lease.json', leaseOf('payments/example'));
    const [mark, seen] = ['2020-01-01T00:00:00Z', '2020-01-01T00:00:00Z'];
    const zeros = { agreedFor: 0, acceptances: 0, longestTtl: 0 };
    await using reaper = await start('reaper', { s3 });
    const waiting = async () => (await json(reaper, '/status')).reaper?.waiting?.message;
    await eventually('it waits', async () => (await waiting())?.includes('no clock.json'), HEALING_LIMIT);
    await write('clock.json', JSON.stringify({ mark, seen, lags: [], ...zeros }));
    await eventually('for another reason', async () =>
      (await waiting())?.includes('far ahead of 2020-01-01'),
    );
    expect((await json(reaper, '/status')).ready).toBe(true);

    await using gateway = await start('gateway', { s3 });
    await ready(gateway);
    expect((await put(gateway, 'stored meanwhile')).status).toBe(201);
    expect(await objectsIn(s3)).toContain(expired);
    const accept = ({ admin }: ServingProcess) => run(['accept-clock', '--admin-url', `http://${admin}`]);
    expect(JSON.parse((await accept(gateway)).stdout.toString())).toMatchObject({ written: true });
    await eventually('it was reaped', async () => !(await objectsIn(s3)).includes(expired), HEALING_LIMIT);
    // It has no right to put, and accepts for itself.
    expect(JSON.parse((await accept(reaper)).stdout.toString())).toMatchObject({ written: false });
  });
});

test('a process that waits for its storage ends when it is told to, in the midst of a try too', async () => {
  let asked = false;
  const silent = createServer(() => {
    asked = true;
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => silent.once('listening', resolve));
  const { port } = silent.address() as { port: number };
  const credentials = writeCredentials(await newFolder('of a silent server'));
  const s3 = { bucket: 'silent', endpoint: `http://127.0.0.1:${port}`, forcePathStyle: true };
  await using reaper = await start('reaper', { s3, credentials });
  await eventually('it tries', () => asked);
  expect((await json(reaper, '/readyz')).error.code).toBe('storage_unavailable');
  const begun = performance.now();
  reaper.process.kill('SIGTERM');
  expect(await reaper.exited).toBe(0);
  // Not a measurement: without an abort it takes the 8 s that an answer may take, and more tries.
  expect(performance.now() - begun).toBeLessThan(5_000);
  silent.close();
});
