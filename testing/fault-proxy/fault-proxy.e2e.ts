import { randomBytes } from 'node:crypto';
import {
  DeleteObjectsCommand,
  GetObjectCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  type S3Client,
} from '@aws-sdk/client-s3';
import { clientOf, type S3Server } from '@largepayload/testing/s3-servers/s3-server';
import { startVersitygw } from '@largepayload/testing/s3-servers/versitygw';
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { FaultRule } from './fault-rules.ts';
import { RunningProxy } from './running-proxy.ts';

const BYTES = randomBytes(1_000_000);

/** Each fault is tested with an S3 client that does not retry. */
describe('the fault proxy', () => {
  let server: S3Server;
  let proxy: RunningProxy;
  let client: S3Client;
  let clientThatTrusts: S3Client;
  let Bucket: string;
  let count = 0;

  beforeAll(async () => {
    server = await startVersitygw();
    proxy = await RunningProxy.start(server.endpoint, 1);
    client = clientOf(proxy.endpoint);
    clientThatTrusts = clientOf(proxy.endpoint);
    clientThatTrusts.config.responseChecksumValidation = async () => 'WHEN_REQUIRED';
    Bucket = (await server.newBucket()).bucket;
  });
  afterAll(async () => {
    client?.destroy();
    clientThatTrusts?.destroy();
    await proxy?.stop();
    await server?.stop();
  });
  beforeEach(async () => {
    await proxy.inject();
    count += 1;
  });

  const put = (Key = `object ${count}`) => client.send(new PutObjectCommand({ Bucket, Key, Body: BYTES }));
  const get = async (through = client, Key = `object ${count}`) => {
    const { Body } = await through.send(new GetObjectCommand({ Bucket, Key }), {
      abortSignal: AbortSignal.timeout(2_000),
    });
    return Buffer.from((await Body?.transformToByteArray()) ?? []);
  };
  const always = (rule: Omit<FaultRule, 'probability'>) => proxy.inject({ probability: 1, ...rule });
  const codeOf = (promise: Promise<unknown>) =>
    promise.then(
      () => 'done',
      ({ name, code }) => (typeof code === 'string' ? code : name) as string,
    );

  test('passes everything without rules', async () => {
    await put();
    expect(BYTES.equals(await get())).toBe(true);
    expect((await proxy.observed()).faults).toEqual({});
  });

  test('breaks off a request, so that nothing is stored', async () => {
    await always({ kind: 'resetRequest' });
    expect(await codeOf(put())).toMatch(/ECONNRESET|EPIPE/);
    expect(await codeOf(get(server.client))).toBe('NoSuchKey');
  });

  test('alters a request, which the server refuses', async () => {
    await always({ kind: 'alterRequest' });
    expect(await codeOf(put())).toMatch(/BadDigest|Mismatch|Invalid/);
    expect(await codeOf(get(server.client))).toBe('NoSuchKey');
  });

  test('loses the answer to a request that stored an object', async () => {
    await always({ kind: 'loseReply' });
    expect(await codeOf(put())).toMatch(/ECONNRESET|EPIPE/);
    expect(BYTES.equals(await get(server.client))).toBe(true);
  });

  test.for(['resetResponse', 'truncate', 'stall'] as const)(
    'breaks an answer by %s, so that the object does not arrive complete',
    async (kind) => {
      await put();
      await always({ kind });
      expect(await codeOf(get())).toMatch(/ECONNRESET|ECONNABORTED|AbortError|TimeoutError|aborted/);
    },
  );

  test('alters one byte of an answer', async () => {
    await put();
    await always({ kind: 'wrongBytes' });
    const received = await get(clientThatTrusts);
    expect(received.filter((byte, index) => byte !== BYTES[index])).toHaveLength(1);
  });

  test('answers errors as S3 does', async () => {
    await always({ kind: 'slowDown', retryAfter: 3 });
    const failure = await put().catch((error) => error);
    expect(failure.name).toBe('SlowDown');
    expect(failure.$response.headers['retry-after']).toBe('3');
    await always({ kind: 'error500' });
    expect(await codeOf(put())).toBe('InternalError');
    await always({ kind: 'conflict' });
    expect(await codeOf(put())).toBe('ConditionalRequestConflict');
  });

  test('takes a request and never answers', async () => {
    await put();
    await always({ kind: 'blackHole' });
    expect(await codeOf(get())).toMatch(/AbortError|TimeoutError/);
  });

  test('alters the time in an answer', async () => {
    await always({ kind: 'shiftDate', shiftMs: 100_000 });
    const { date = '' } = Object.fromEntries((await fetch(`${proxy.endpoint}/${Bucket}/none`)).headers);
    expect(Date.parse(date) - Date.now()).toBeGreaterThan(98_000);
    expect(Date.parse(date) - Date.now()).toBeLessThanOrEqual(100_000);
  });

  test('deletes a part of a batch, and answers which objects it kept', async () => {
    const keys = ['a', 'b&c', 'd', 'e'].map((name) => `batch/${name}`);
    for (const key of keys) await put(key);
    await always({ kind: 'partialDelete' });
    const Delete = { Objects: keys.map((Key) => ({ Key })) };
    const { Errors = [] } = await client.send(new DeleteObjectsCommand({ Bucket, Delete }));
    const { Contents = [] } = await server.client.send(
      new ListObjectsV2Command({ Bucket, Prefix: 'batch/' }),
    );
    expect(Errors.length).toBeGreaterThan(0);
    expect(Errors.map(({ Key }) => Key)).toEqual(Contents.map(({ Key }) => Key));
  });

  test('refuses connections for a while', async () => {
    const taken = proxy.refuse(500);
    await expect.poll(() => codeOf(put())).toBe('ECONNREFUSED');
    await taken;
    await put();
  });

  test('injects a fault into some requests only, in bursts, and within its schedule', async () => {
    await put();
    await proxy.inject({
      kind: 'error500',
      probability: 0.2,
      burst: 2,
      on: ['get'],
      schedule: { everyMs: 60_000, forMs: 30_000 },
    });
    const outcomes: string[] = [];
    for (let request = 0; request < 60; request += 1) outcomes.push(await codeOf(get()));
    const failed = outcomes.filter((outcome) => outcome === 'InternalError').length;
    expect(failed).toBeGreaterThan(5);
    expect(failed).toBeLessThan(55);
    await put();
    await proxy.inject({ kind: 'error500', probability: 1, schedule: { everyMs: 60_000, forMs: 0 } });
    await put();
  });
});
