import { rename } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { call, expectError, keyOf } from '@largepayload/testing/service/http-call';
import { getPath, testPayload } from '@largepayload/testing/service/payload';
import {
  filesIn,
  metric,
  startService,
  type TestService,
} from '@largepayload/testing/service/running-service';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { pino } from 'pino';
import { expect, test } from 'vitest';

const PUBLISHED = [
  'payload_store_put_total',
  'payload_store_put_bytes_total',
  'payload_store_get_total',
  'payload_store_get_errors_total',
  'payload_store_cleanup_deleted_total',
  'payload_store_request_duration_seconds',
];

async function ready(service: TestService): Promise<{ status: number; body: Record<string, unknown> }> {
  const { status, body } = await call(service.metrics, '/readyz');
  return { status, body: JSON.parse(body.toString()) };
}

test('metrics bear the names that dashboards and alerts know, before anything has happened', async () => {
  await using service = await startService();
  const { body, headers } = await call(service.metrics, '/metrics');
  expect(headers['content-type']).toMatch(/^text\/plain; version=0\.0\.4/);
  for (const name of PUBLISHED) expect(body.toString()).toMatch(new RegExp(`^# TYPE ${name} `, 'm'));
});

test('metrics count what happens, and neither they nor the log tell whose payloads these are', async () => {
  let logged = '';
  const log = pino(
    new Writable({
      write(chunk, _encoding, done) {
        logged += chunk;
        done();
      },
    }),
  );
  await using service = await startService({ log });
  const { bytes, digest, putPath, putHeaders, getHeaders } = testPayload('counted', 'secret-namespace');
  const put = () =>
    call(service.data, putPath, {
      method: 'PUT',
      headers: { ...putHeaders, 'X-Payload-Store-Workflow-Id': 'c2VjcmV0' },
      body: bytes,
    });
  const key = keyOf(await put());
  await put();
  await call(service.data, getPath(key), { headers: getHeaders });
  expectError(
    await call(service.data, getPath(key.replace(/.$/, 'g')), { headers: getHeaders }),
    'invalid_key',
  );
  const missing = key.replaceAll(digest, `sha256:${'0'.repeat(64)}`);
  expectError(await call(service.data, getPath(missing), { headers: getHeaders }), 'key_not_found');
  await call(service.data, putPath, { method: 'PUT', headers: putHeaders, body: 'COUNTED' });

  const counted = {
    'payload_store_put_total{result="created"}': 1,
    'payload_store_put_total{result="existed"}': 1,
    'payload_store_put_total{result="digest_mismatch"}': 1,
    payload_store_put_bytes_total: bytes.length,
    payload_store_get_total: 3,
    payload_store_get_bytes_total: bytes.length,
    'payload_store_get_errors_total{code="invalid_key"}': 1,
    'payload_store_get_errors_total{code="key_not_found"}': 1,
    'payload_store_request_duration_seconds_count{operation="put"}': 3,
    'payload_store_request_duration_seconds_count{operation="get"}': 3,
  };
  for (const [series, value] of Object.entries(counted)) {
    await eventually(`${series} ${value}`, async () => (await metric(service, series)) === value);
  }
  const told = (await call(service.metrics, '/metrics')).body.toString() + logged;
  for (const secret of [digest.slice(7), 'secret-namespace', 'c2VjcmV0', '/blobs/', 'sha256']) {
    expect(told).not.toContain(secret);
  }
});

test('a scraper that comes without Host or with a strange one is served', async () => {
  await using service = await startService();
  const answer = await call(service.metrics, '/healthz', { headers: { Host: 'gateway.payments.svc' } });
  expect(answer.status).toBe(200);
});

test('readiness is true: it goes with the data folder, nothing is made in its place, and it comes back', async () => {
  await using service = await startService();
  const { bytes, putPath, putHeaders, getHeaders } = testPayload('on the disk that goes');
  const put = () => call(service.data, putPath, { method: 'PUT', headers: putHeaders, body: bytes });
  const key = keyOf(await put());
  expect(await ready(service)).toEqual({ status: 200, body: { status: 'ready' } });

  const elsewhere = `${service.folder}-elsewhere`;
  await rename(service.folder, elsewhere);
  await eventually('not ready', async () => (await ready(service)).status === 503);
  expect((await ready(service)).body).toMatchObject({
    status: 'not ready',
    error: { code: 'storage_unavailable' },
  });
  expectError(await put(), 'storage_unavailable');
  expect((await call(service.data, '/v2/health/head', { method: 'HEAD' })).status).toBe(503);
  expect((await call(service.metrics, '/healthz')).status).toBe(200);
  await expect(filesIn(service.folder)).rejects.toThrow('ENOENT');

  await rename(elsewhere, service.folder);
  await eventually('ready again', async () => (await ready(service)).status === 200);
  expect((await put()).status).toBe(200);
  expect((await call(service.data, getPath(key), { headers: getHeaders })).body).toEqual(bytes);
});

test('another store in the same place is not ours to serve', async () => {
  await using service = await startService({ name: 'ours' });
  await expect(startService({ name: 'theirs', folder: service.folder })).rejects.toThrow(
    'belongs to the store default/ours',
  );
  expect(await filesIn(service.folder)).toEqual([]);
});
