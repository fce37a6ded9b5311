import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { call, expectError, keyOf } from '@largepayload/testing/service/http-call';
import { getHeaders, getPath, metadataHeader, testPayload } from '@largepayload/testing/service/payload';
import { filesIn, startService } from '@largepayload/testing/service/running-service';
import vectorFile from '@largepayload/testing/wire-vectors/wire-vectors.json' with { type: 'json' };
import { describe, expect, test } from 'vitest';

describe('what the Go codec and service wrote', () => {
  test.each(vectorFile.vectors)('$name', async (vector) => {
    await using service = await startService();
    const { bytes, putPath, putHeaders } = testPayload(Buffer.from(vector.data, 'base64'), vector.namespace);
    const { metadata, size, digest, key } = vector.reference;
    const header = Buffer.from(JSON.stringify(metadata)).toString('base64');
    const put = { method: 'PUT', headers: { ...putHeaders, 'X-Temporal-Metadata': header }, body: bytes };

    const first = await call(service.data, putPath, put);
    expect([first.status, first.body.toString()]).toEqual([201, JSON.stringify({ Key: key })]);
    const second = await call(service.data, putPath, put);
    expect([second.status, second.body.toString()]).toEqual([200, JSON.stringify({ Key: key })]);
    expect(bytes.length).toBe(size);
    expect(putPath).toContain(encodeURIComponent(digest));

    for (const escaped of [encodeURIComponent(key), encodeURIComponent(encodeURIComponent(key))]) {
      const got = await call(service.data, `/v2/blobs/get?key=${escaped}`, { headers: getHeaders(size) });
      expect(got).toMatchObject({ status: 200, body: bytes });
      expect(got.headers).toMatchObject({
        'content-type': 'application/octet-stream',
        'content-length': String(size),
      });
    }
    expect(await filesIn(service.folder)).toEqual([key]);
  });
});

test('health is asked for by HEAD', async () => {
  await using service = await startService();
  const answer = await call(service.data, '/v2/health/head', { method: 'HEAD' });
  expect(answer).toMatchObject({ status: 200, body: Buffer.alloc(0) });
});

test('an empty payload is one like any other', async () => {
  await using service = await startService();
  const { putPath, putHeaders } = testPayload('');
  const put = await call(service.data, putPath, { method: 'PUT', headers: putHeaders });
  expect(put.status).toBe(201);
  const got = await call(service.data, getPath(keyOf(put)), { headers: getHeaders(0) });
  expect(got).toMatchObject({ status: 200, body: Buffer.alloc(0), headers: { 'content-length': '0' } });
});

test('a reference of version 1 names an object that was there before', async () => {
  await using service = await startService();
  const { bytes, digest } = testPayload('stored by an earlier service');
  await mkdir(join(service.folder, 'blobs'), { recursive: true });
  await writeFile(join(service.folder, 'blobs', digest), bytes);
  const path = `/v1/blobs/get?digest=${digest}`;
  const got = await call(service.data, path, { headers: getHeaders(bytes.length) });
  expect(got).toMatchObject({ status: 200, body: bytes });
  const missing = await call(
    service.data,
    path.replace(/.$/, (last) => (last === '0' ? '1' : '0')),
    {
      headers: getHeaders(bytes.length),
    },
  );
  expectError(missing, 'key_not_found');
});

test('with a TTL the key begins with the window, and the object is named like it', async () => {
  await using service = await startService({ ttl: '30d', reaperInterval: '1h' });
  const { bytes, digest, putPath, putHeaders } = testPayload('kept for thirty days');
  const before = Date.now();
  const key = keyOf(await call(service.data, putPath, { method: 'PUT', headers: putHeaders, body: bytes }));
  const [, end = ''] =
    /^\/expires-(\d{8}T000000Z)-30d\/orders\/common\/sha256:[0-9a-f]{64}\/sha256:[0-9a-f]{64}$/.exec(key) ??
    [];
  const endTime = Date.parse(end.replace(/^(....)(..)(..)T.*/, '$1-$2-$3T00:00:00Z'));
  const day = 86_400_000;
  expect(endTime - before).toBeGreaterThanOrEqual(30 * day);
  expect(endTime - before).toBeLessThan(31 * day + 16 * 60_000);
  expect(key).toContain(digest);
  expect(await filesIn(service.folder)).toEqual([key]);
  const got = await call(service.data, getPath(key), { headers: getHeaders(bytes.length) });
  expect(got.body).toEqual(bytes);
});

describe('the owning workflow', () => {
  const base64url = (text: string) => Buffer.from(text).toString('base64url');
  const put = async (headers: Record<string, string | string[]>) => {
    await using service = await startService();
    const { bytes, putPath, putHeaders } = testPayload('owned');
    const answer = await call(service.data, putPath, {
      method: 'PUT',
      headers: { ...putHeaders, ...headers },
      body: bytes,
    });
    return { answer, stored: await filesIn(service.folder) };
  };
  const owner = (id: string) => ({ 'X-Payload-Store-Workflow-Id': base64url(id) });

  test('goes into the key', async () => {
    const { answer } = await put(owner('order/42?'));
    expect(keyOf(answer)).toMatch(`/blobs/orders/custom/wf/${base64url('order/42?')}/sha256:`);
  });

  test('with a long id, in segments of 200', async () => {
    const id = 'w'.repeat(300);
    const [segments = ''] =
      /(?<=custom\/wf\/).*?(?=\/sha256:)/.exec(keyOf((await put(owner(id))).answer)) ?? [];
    expect(segments.split('/').map(({ length }) => length)).toEqual([200, 200]);
    expect(Buffer.from(segments.replaceAll('/', ''), 'base64url').toString()).toBe(id);
  });

  test('with an id that no object name has room for, is left out', async () => {
    expect(keyOf((await put(owner('w'.repeat(1_000)))).answer)).toMatch('/blobs/orders/common/');
  });

  test.each([
    ['empty', ''],
    ['not base64url', 'a+b/c='],
    ['a path', '../../etc'],
    ['given twice', ['YQ', 'Yg']],
  ])('that is %s is refused', async (_name, id) => {
    const { answer, stored } = await put({ 'X-Payload-Store-Workflow-Id': id });
    expectError(answer, 'invalid_workflow_id');
    expect(stored).toEqual([]);
  });

  test('gives way to a key prefix in the metadata', async () => {
    const metadata = metadataHeader({ 'remote-codec/key-prefix': 'team-a/reports' });
    const { answer } = await put({ ...owner('order-42'), 'X-Temporal-Metadata': metadata });
    expect(keyOf(answer)).toMatch('/blobs/orders/custom/team-a/reports/sha256:');
  });
});
