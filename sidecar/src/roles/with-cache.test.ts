import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { MetricsReading } from '@largepayload/testing/servers/metrics-reading';
import { call, expectError, keyOf } from '@largepayload/testing/service/http-call';
import { manifestOn } from '@largepayload/testing/service/manifest';
import { getPath, testPayload } from '@largepayload/testing/service/payload';
import { realProgram } from '@largepayload/testing/service/real-program';
import { metric, startService, type TestService } from '@largepayload/testing/service/running-service';
import { describe, expect, test } from 'vitest';

const MIB = 2 ** 20;
const { serve, newFolder } = realProgram();
const { bytes, digest, putPath, putHeaders, getHeaders } = testPayload('kept in memory');

type Addresses = Pick<TestService, 'data'>;
const put = (service: Addresses) =>
  call(service.data, putPath, { method: 'PUT', headers: putHeaders, body: bytes });
const get = (service: Addresses, key: string, headers: Record<string, string> = getHeaders) =>
  call(service.data, getPath(key), { headers });

async function cacheMetrics({ metrics }: Pick<TestService, 'metrics'>): Promise<Record<string, number>> {
  const { body } = await call(metrics, '/metrics');
  const series = [...new MetricsReading(body.toString()).series];
  return Object.fromEntries(series.filter(([name]) => name.startsWith('payload_store_cache_')));
}

describe('a service with a cache', () => {
  test('serves from memory what was put, and counts it', async () => {
    await using service = await startService({ cacheSize: 8 * MIB });
    const key = keyOf(await put(service));
    await rm(join(service.folder, 'blobs'), { recursive: true });
    expect((await get(service, key)).body).toEqual(bytes);
    expect(await cacheMetrics(service)).toEqual({
      payload_store_cache_hits_total: 1,
      payload_store_cache_misses_total: 0,
      payload_store_cache_admissions_total: 1,
      payload_store_cache_evictions_total: 0,
      payload_store_cache_refused_total: 0,
      payload_store_cache_bytes: expect.any(Number),
      payload_store_cache_limit_bytes: 8 * MIB,
    });
    expect(await metric(service, 'payload_store_get_total')).toBe(1);
  });

  test('refuses a wrong size and a wrong key as it does without one', async () => {
    await using service = await startService({ cacheSize: 8 * MIB });
    const key = keyOf(await put(service));
    for (let round = 0; round < 2; round += 1) {
      const wrongSize = { ...getHeaders, 'X-Payload-Expected-Content-Length': '1' };
      expectError(await get(service, key, wrongSize), 'expected_length_mismatch');
      expectError(await get(service, key.replace('/common/', '/custom/x/')), 'key_not_found');
      expectError(await get(service, '/blobs/x'), 'invalid_key');
    }
  });

  test('asks whether a Temporal namespace is served before it looks into the cache', async () => {
    await using service = await startService({ cacheSize: 8 * MIB, temporalNamespaces: ['billing'] });
    expectError(await put(service), 'namespace_denied');
    expectError(await get(service, `/blobs/orders/common/${digest}/${digest}`), 'namespace_denied');
    expect(await cacheMetrics(service)).toMatchObject({
      payload_store_cache_hits_total: 0,
      payload_store_cache_misses_total: 0,
    });
  });

  test('is one without cache metrics where no cache is set', async () => {
    await using service = await startService();
    expect(await cacheMetrics(service)).toEqual({});
  });
});

describe.concurrent('the program', () => {
  test('takes the size of the cache from its option as a standalone service, and from the manifest as a gateway', async () => {
    const storage = { filesystem: { claimName: 'unused' } };
    const manifest = JSON.parse(manifestOn(storage)) as { spec: { gateway?: object } };
    manifest.spec.gateway = { cacheSize: '3Mi' };
    const [first, second] = [await newFolder('standalone'), await newFolder('gateway')];
    await using standalone = await serve({ dataFolder: first, args: ['--cache-size', '2Mi'] });
    await using gateway = await serve({
      dataFolder: second,
      role: 'gateway',
      manifest: JSON.stringify(manifest),
    });
    const limit = 'payload_store_cache_limit_bytes';
    expect(await metric(standalone, limit)).toBe(2 * MIB);
    expect(await metric(gateway, limit)).toBe(3 * MIB);
  });
});
