import { RawConnection } from '@largepayload/testing/servers/raw-connection';
import { call, expectError, keyOf } from '@largepayload/testing/service/http-call';
import { getPath, testPayload } from '@largepayload/testing/service/payload';
import {
  filesIn,
  metric,
  startService,
  type TestService,
} from '@largepayload/testing/service/running-service';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const PATH = '/admin/payload-store';

let service: TestService;
beforeAll(async () => {
  service = await startService({ ttl: '1h', reaperInterval: '1h', name: 'administered' });
});
afterAll(() => service[Symbol.asyncDispose]());

async function put(text: string, namespace = 'orders'): Promise<string> {
  const { bytes, putPath, putHeaders } = testPayload(text, namespace);
  return keyOf(await call(service.data, putPath, { method: 'PUT', headers: putHeaders, body: bytes }));
}

async function lines(path: string, method = 'GET'): Promise<Record<string, unknown>[]> {
  const answer = await call(service.admin, `${PATH}/${path}`, { method });
  expect(answer).toMatchObject({ status: 200, headers: { 'content-type': 'application/x-ndjson' } });
  const parsed = answer.body
    .toString()
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
  expect(parsed.pop()).toEqual({ done: true });
  return parsed;
}

/** Without what the service is just doing: it makes a file now and then to compare the clocks. */
async function payloadsIn({ folder }: TestService): Promise<string[]> {
  return (await filesIn(folder)).filter((file) => !file.startsWith('/.payload-store'));
}

describe('a page in a browser on this machine', () => {
  test.each([
    { Origin: 'http://evil.example' },
    { Origin: 'null' },
    { Origin: '' },
    { Origin: 'http://localhost:3000' },
    { Host: 'evil.example' },
    { Host: 'evil.example:9099' },
    { Host: 'localhost.evil.example' },
    { Host: '127.0.0.1.evil.example' },
    { Host: '10.0.0.7' },
    { Host: '[::ffff:10.0.0.7]:9099' },
  ])('is refused: %j', async (headers) => {
    const before = await payloadsIn(service);
    for (const [method, path] of [
      ['POST', 'cleanup?age=1s'],
      ['GET', 'usage'],
      ['GET', 'status'],
      ['OPTIONS', 'cleanup?age=1s'],
    ] as const) {
      expectError(await call(service.admin, `${PATH}/${path}`, { method, headers }), 'browser_refused');
    }
    expect(await payloadsIn(service)).toEqual(before);
  });

  test.each(['localhost', 'localhost:19099', '127.0.0.1', '127.8.9.10:1', '[::1]:9099'])(
    'is not what comes by %s, as a forwarded port does',
    async (host) => {
      expect((await call(service.admin, `${PATH}/status`, { headers: { Host: host } })).status).toBe(200);
    },
  );

  test.each(['HTTP/1.0\r\n\r\n', 'HTTP/1.1\r\nHost: \r\n\r\n', 'HTTP/1.0\r\nHost: \r\n\r\n'])(
    'cannot be told from a request without the name of a host: %j',
    async (rest) => {
      await using connection = await RawConnection.open(service.admin);
      await connection.send(`POST ${PATH}/cleanup?age=1s ${rest}`);
      expectError(await connection.answer(), 'browser_refused');
    },
  );
});

test.each([
  '',
  '?age=',
  '?age=0s',
  '?age=-1d',
  '?age=7',
  '?age=1.5d',
  '?age=d',
  '?age=7days',
  '?age=7d&age=1s',
  '?age=99999999999999999999d',
  '?age=NaN',
  '?dry-run',
  '?age=1s&dry-run=yes',
  '?age=1s&dry-run&dry-run',
  '?age%5B%5D=1s',
])('cleanup%s is refused', async (query) => {
  await put('not to be deleted by mistake');
  const before = await payloadsIn(service);
  expectError(await call(service.admin, `${PATH}/cleanup${query}`, { method: 'POST' }), 'invalid_age');
  expect(await payloadsIn(service)).toEqual(before);
});

test('status tells whose store this is, and how it does', async () => {
  const answer = await call(service.admin, `${PATH}/status`);
  expect(JSON.parse(answer.body.toString())).toMatchObject({
    store: { namespace: 'default', name: 'administered' },
    storage: 'filesystem',
    ready: true,
    reaper: { lastCompletedTime: expect.stringMatching(/^\d{4}-\d\d-\d\dT/) },
  });
});

test('usage sums what is stored, and cleanup deletes only what is old enough', async () => {
  const keys = [await put('one'), await put('two', 'returns'), await put('three', 'returns')];
  const window = keys[0]?.split('/')[1];
  const usage = await lines('usage');
  expect(usage).toContainEqual({ window, namespace: 'returns', objects: 2, bytes: 8 });

  const before = await payloadsIn(service);
  expect(await lines('cleanup?age=1h', 'POST')).toEqual([]);
  expect(await lines('cleanup?age=1s&dry-run', 'POST')).toEqual([]);
  expect(await payloadsIn(service)).toEqual(before);
  for (const key of keys) {
    const got = await call(service.data, getPath(key), { headers: testPayload('two').getHeaders });
    expect([200, 400]).toContain(got.status);
  }
  expect(await metric(service, 'payload_store_cleanup_deleted_total')).toBe(0);
});

test('a store that keeps for ever loses nothing by cleanup', async () => {
  await using forever = await startService();
  const { bytes, putPath, putHeaders } = testPayload('for ever');
  await call(forever.data, putPath, { method: 'PUT', headers: putHeaders, body: bytes });
  const answer = await call(forever.admin, `${PATH}/cleanup?age=1s`, { method: 'POST' });
  expect(answer.body.toString()).toBe('{"done":true}\n');
  expect(await filesIn(forever.folder)).toHaveLength(1);
  const usage = await call(forever.admin, `${PATH}/usage`);
  expect(JSON.parse(usage.body.toString().split('\n')[0] ?? '')).toEqual({
    window: 'blobs',
    namespace: 'orders',
    objects: 1,
    bytes: bytes.length,
  });
});
