import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { call, expectError, keyOf } from '@largepayload/testing/service/http-call';
import { digestOf, generatedBytes, metadataHeader, testPayload } from '@largepayload/testing/service/payload';
import { startService, type TestService } from '@largepayload/testing/service/running-service';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { get, put, sidecarBefore } from './sidecar.fixture.ts';

const MIB = 1024 * 1024;

let gateway: TestService;
beforeAll(async () => {
  gateway = await startService();
});
afterAll(() => gateway[Symbol.asyncDispose]());

/** A real gateway on a folder, which all tests share, and a sidecar before it. */
async function gatewayAndSidecar(own = gateway) {
  return { gateway: own, sidecar: await sidecarBefore(`http://${own.data}`) };
}

test.each([0, 1, 300_000, 8 * MIB, 8 * MIB + 1])(
  'a payload of %i bytes comes back as it was put',
  async (size) => {
    const both = await gatewayAndSidecar();
    const payload = testPayload(generatedBytes(size));
    const first = await both.sidecar.put(payload);
    const second = await both.sidecar.put(payload);
    expect([first.status, second.status]).toEqual([201, 200]);
    const key = keyOf(first);
    expect(keyOf(second)).toBe(key);
    const got = await both.sidecar.get(key, payload);
    expect(got.status).toBe(200);
    expect(got.headers).toMatchObject({
      'content-type': 'application/octet-stream',
      'content-length': String(size),
    });
    expect(got.body.equals(payload.bytes)).toBe(true);
  },
);

test('metadata, key prefix and workflow id of the worker reach the gateway', async () => {
  const both = await gatewayAndSidecar();
  const payload = testPayload('some bytes', 'billing');
  const variants: Record<string, string>[] = [
    { 'X-Temporal-Metadata': metadataHeader({ encoding: 'binary/plain', ключ: 'ü' }) },
    { 'X-Temporal-Metadata': metadataHeader({ 'remote-codec/key-prefix': 'a/b' }) },
    { 'X-Payload-Store-Workflow-Id': Buffer.from('invoice 17').toString('base64url') },
  ];
  for (const variant of variants) {
    const request = { method: 'PUT', headers: { ...payload.putHeaders, ...variant }, body: payload.bytes };
    const [through, direct] = [
      await call(both.sidecar.data, payload.putPath, request),
      await call(both.gateway.data, payload.putPath, request),
    ];
    expect([through.status, direct.status]).toEqual([201, 200]);
    expect(keyOf(through)).toBe(keyOf(direct));
  }
});

test('a payload of version 1 is read through the sidecar', async () => {
  const both = await gatewayAndSidecar();
  const payload = testPayload('of version 1');
  const stored = await put(both.gateway.data, payload);
  await rename(
    join(both.gateway.folder, fileOf(keyOf(stored))),
    join(both.gateway.folder, 'blobs', payload.digest),
  );
  const path = `/v1/blobs/get?digest=${encodeURIComponent(payload.digest)}`;
  const got = await call(both.sidecar.data, path, { headers: payload.getHeaders });
  expect({ status: got.status, body: got.body.toString() }).toEqual({ status: 200, body: 'of version 1' });
});

describe('an error of the gateway passes with code, message, status and Retry-After', () => {
  const same = async (
    { gateway, sidecar }: Awaited<ReturnType<typeof gatewayAndSidecar>>,
    code: Parameters<typeof expectError>[1],
    ask: (address: string) => ReturnType<typeof call>,
  ) => {
    const [direct, through] = [await ask(gateway.data), await ask(sidecar.data)];
    expectError(direct, code);
    expect(through.status).toBe(direct.status);
    expect(through.body.toString()).toBe(direct.body.toString());
    expect(through.headers['retry-after']).toBe(direct.headers['retry-after']);
  };

  test('when the key is unknown', async () => {
    const both = await gatewayAndSidecar();
    const payload = testPayload('never stored');
    const key = keyOf(await both.sidecar.put(testPayload('stored'))).replace(
      digestOf(Buffer.from('stored')),
      payload.digest,
    );
    await same(both, 'key_not_found', (address) => get(address, key, payload));
  });

  test('when the store does not serve the Temporal namespace', async () => {
    await using own = await startService({ temporalNamespaces: ['billing'] });
    const both = await gatewayAndSidecar(own);
    for (const size of [10, 9 * MIB]) {
      const payload = testPayload(generatedBytes(size), 'orders');
      await same(both, 'namespace_denied', (address) => put(address, payload));
    }
  });

  test('when the digest is another one, or the expected size', async () => {
    const both = await gatewayAndSidecar();
    const payload = testPayload('bytes of a digest');
    const wrong = { ...payload, bytes: Buffer.from('BYTES of a digest') };
    await same(both, 'digest_mismatch', (address) => put(address, wrong));
    const key = keyOf(await both.sidecar.put(payload));
    await same(both, 'expected_length_mismatch', (address) => get(address, key, testPayload('shorter')));
  });

  test('when the stored bytes are damaged', async () => {
    const both = await gatewayAndSidecar();
    const payload = testPayload('some bytes');
    const key = keyOf(await both.sidecar.put(payload));
    await writeFile(join(both.gateway.folder, fileOf(key)), 'SOME BYTES');
    await same(both, 'integrity', (address) => get(address, key, payload));
  });

  test('when the key is none', async () => {
    const both = await gatewayAndSidecar();
    await same(both, 'invalid_key', (address) => get(address, '/etc/passwd', testPayload('x')));
  });
});

test('health is the health of the gateway', async () => {
  await using own = await startService();
  const both = await gatewayAndSidecar(own);
  const health = async () => (await call(both.sidecar.data, '/v2/health/head', { method: 'HEAD' })).status;
  expect(await health()).toBe(200);
  expect((await call(both.sidecar.metrics, '/readyz')).status).toBe(200);
  await both.gateway.stop();
  expect(await health()).toBe(503);
  expect((await call(both.sidecar.metrics, '/healthz')).status).toBe(200);
});

/** On a volume the last two segments of a key are joined. */
function fileOf(key: string): string {
  return key.replace(/\/(sha256:[0-9a-f]{64})$/, '.$1');
}

test('metrics of a sidecar have its requests, and nothing that only a store or a gateway has', async () => {
  const { sidecar } = await gatewayAndSidecar();
  await sidecar.put(testPayload('counted'));
  const { body } = await call(sidecar.metrics, '/metrics');
  expect(body.toString()).toMatch(/^payload_store_put_total\{result="created"\} 1$/m);
  expect(body.toString()).not.toMatch(/^payload_store_(caller|reaper|cleanup)_/m);
});
