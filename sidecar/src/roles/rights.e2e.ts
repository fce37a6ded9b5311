import { GetObjectCommand, ListObjectsV2Command, PutObjectCommand } from '@aws-sdk/client-s3';
import { unlessMissing } from '@largepayload/testing/programs/unless-missing';
import type { S3Server } from '@largepayload/testing/s3-servers/s3-server';
import { startVersitygw } from '@largepayload/testing/s3-servers/versitygw';
import { allow, createUser } from '@largepayload/testing/s3-servers/versitygw-users';
import { call, expectError, keyOf } from '@largepayload/testing/service/http-call';
import { manifestOn } from '@largepayload/testing/service/manifest';
import { getPath, testPayload } from '@largepayload/testing/service/payload';
import { realProgram, type ServingProcess } from '@largepayload/testing/service/real-program';
import { metric } from '@largepayload/testing/service/running-service';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { afterAll, describe, expect, test } from 'vitest';
import { GATEWAY_POLICY, REAPER_POLICY } from '../drivers/s3/storage-document.fixture.ts';

const HEALING_LIMIT = 30_000;

const server = (await unlessMissing(startVersitygw)) as S3Server;
afterAll(() => server?.stop());
const { serve } = realProgram();

const { bytes, putPath, putHeaders, getHeaders } = testPayload('with the rights of its role');
const put = ({ data }: ServingProcess) =>
  call(data, putPath, { method: 'PUT', headers: putHeaders, body: bytes });
const readyz = async ({ metrics }: ServingProcess) => {
  const { status, body } = await call(metrics, '/readyz');
  return { status, ...JSON.parse(body.toString()).error };
};

describe.skipIf(server === undefined)(
  'gateway and reaper, each with the documented rights of its role',
  () => {
    test('wait while they have none, then do their work, and neither does the other’s', {
      timeout: 120_000,
    }, async () => {
      const { bucket, ...place } = await server.newBucket();
      const s3 = { ...place, bucket, prefix: 'orders/' };
      const manifest = manifestOn({ s3 }, { name: 'orders', namespace: 'payments', ttl: '30d' });
      const as = async (role: 'gateway' | 'reaper') =>
        await serve({ role, manifest, args: ['--credentials-dir', await createUser(server, role)] });
      const digest = `sha256:${'0'.repeat(64)}`;
      const expired = `orders/expires-20200101T000000Z-30d/orders/common/${digest}/${digest}`;
      await server.client.send(new PutObjectCommand({ Bucket: bucket, Key: expired, Body: 'expired' }));
      const stored = async () => {
        const { Contents = [] } = await server.client.send(new ListObjectsV2Command({ Bucket: bucket }));
        // The gateway alone writes it, whenever it comes to it.
        return Contents.map(({ Key }) => Key).filter((key) => key !== 'orders/clock.json');
      };

      await using gateway = await as('gateway');
      await using reaper = await as('reaper');
      for (const service of [gateway, reaper]) {
        await eventually('the lack is told', async () => (await readyz(service)).code === 'storage_denied');
        expect((await readyz(service)).message).toContain('access denied for s3:ListBucket');
      }
      expectError(await put(gateway), 'storage_denied');
      await allow(server, bucket, { reaper: REAPER_POLICY });
      await eventually(
        'the reaper waits for the gateway',
        async () => (await readyz(reaper)).message?.includes('no store.json yet'),
        HEALING_LIMIT,
      );
      expect(await stored()).toEqual([expired]);

      await allow(server, bucket, { gateway: GATEWAY_POLICY, reaper: REAPER_POLICY });
      for (const service of [gateway, reaper]) {
        await eventually('ready', async () => (await readyz(service)).status === 200, HEALING_LIMIT);
      }
      const created = await put(gateway);
      expect(created.status).toBe(201);
      expect((await put(gateway)).status).toBe(200);
      const got = await call(gateway.data, getPath(keyOf(created)), { headers: getHeaders });
      expect(got.body).toEqual(bytes);
      const clock = new GetObjectCommand({ Bucket: bucket, Key: 'orders/clock.json' });
      const { Body } = await server.client.send(clock);
      expect(JSON.parse((await Body?.transformToString()) ?? '').mark).toMatch(/Z$/);
      await eventually('what expired is gone', async () => !(await stored()).includes(expired));
      expect(await stored()).toEqual([`orders${keyOf(created)}`, 'orders/lease.json', 'orders/store.json']);
      const deleted = () => metric(reaper, 'payload_store_cleanup_deleted_total');
      await eventually('it was counted', async () => (await deleted()) === 1);
      const cleanup = '/admin/payload-store/cleanup?age=1s';
      expectError(await call(gateway.admin, cleanup, { method: 'POST' }), 'unknown_route');
      for (const { admin } of [gateway, reaper]) {
        const usage = await call(admin, '/admin/payload-store/usage');
        expect(usage.body.toString()).toMatch(/"namespace":"orders".*"objects":1/);
        expect(usage.body.toString()).toMatch(/\{"done":true\}\n$/);
      }
    });

    test('a gateway that may not write is told apart from one that may, at its start and later', {
      timeout: 120_000,
    }, async () => {
      const { bucket, ...place } = await server.newBucket();
      const s3 = { ...place, bucket, prefix: 'orders/' };
      const manifest = manifestOn({ s3 }, { name: 'orders', namespace: 'payments', ttl: '30d' });
      const rightful = await createUser(server, 'rightful');
      const mistaken = await createUser(server, 'mistaken');
      const start = (credentials: string) =>
        serve({ role: 'gateway', manifest, args: ['--credentials-dir', credentials] });
      const status = async ({ metrics }: ServingProcess) =>
        JSON.parse((await call(metrics, '/status')).body.toString());

      await allow(server, bucket, { rightful: GATEWAY_POLICY, mistaken: REAPER_POLICY });
      await using gateway = await start(rightful);
      await eventually('ready', async () => (await readyz(gateway)).status === 200, HEALING_LIMIT);
      await using wrong = await start(mistaken);
      await eventually('told', async () => (await readyz(wrong)).code === 'storage_denied', HEALING_LIMIT);
      expect((await readyz(wrong)).message).toContain('access denied for s3:PutObject');
      expect((await status(wrong)).ready).toBe(false);

      expect((await put(gateway)).status).toBe(201);
      await allow(server, bucket, { rightful: REAPER_POLICY });
      expect((await status(gateway)).ready).toBe(true);
      const another = testPayload('not stored');
      const request = { method: 'PUT', headers: another.putHeaders, body: another.bytes };
      expectError(await call(gateway.data, another.putPath, request), 'storage_denied');
      await eventually('it is told', async () => (await status(gateway)).ready === false);
      expect((await status(gateway)).error).toEqual({
        code: 'storage_denied',
        message: expect.stringContaining('access denied for s3:PutObject'),
        reason: 'AccessDenied',
        parameters: {},
      });
      expect((await readyz(gateway)).status).toBe(200);

      await allow(server, bucket, { rightful: GATEWAY_POLICY });
      await eventually('well again', async () => (await status(gateway)).ready === true, HEALING_LIMIT);
      expect((await call(gateway.data, another.putPath, request)).status).toBe(201);
    });
  },
);
