import { httpServer } from '@largepayload/testing/servers/test-server';
import { expectError, keyOf } from '@largepayload/testing/service/http-call';
import { generatedBytes, testPayload } from '@largepayload/testing/service/payload';
import { metric, startService } from '@largepayload/testing/service/running-service';
import { expect, test } from 'vitest';
import { keyFor, put, sidecarBefore } from '../forwarding/sidecar.fixture.ts';

const MIB = 2 ** 20;
const payload = testPayload(generatedBytes(200_000));

test('a hundred GETs of one payload at the same time are one request to the gateway, and later ones none', async () => {
  await using gateway = await startService();
  const key = keyOf(await put(gateway.data, payload));
  const sidecar = await sidecarBefore(`http://${gateway.data}`, { cacheSize: 8 * MIB });
  const answers = await Promise.all(Array.from({ length: 100 }, () => sidecar.get(key, payload)));
  for (const { status, body } of [...answers, await sidecar.get(key, payload)]) {
    expect(status).toBe(200);
    expect(body.equals(payload.bytes)).toBe(true);
  }
  expect(await metric(gateway, 'payload_store_get_total')).toBe(1);
  expect(await metric(sidecar, 'payload_store_cache_hits_total')).toBe(100);
});

test('what was put through a sidecar is read without the gateway', async () => {
  await using gateway = await startService();
  const sidecar = await sidecarBefore(`http://${gateway.data}`, { cacheSize: 8 * MIB });
  const key = keyOf(await sidecar.put(payload));
  await gateway.stop();
  expect((await sidecar.get(key, payload)).body.equals(payload.bytes)).toBe(true);
});

test('a gateway that serves wrong bytes is asked once more, and a second time the answer is 502', async () => {
  const wrong = Buffer.from(payload.bytes);
  wrong.writeUInt8((wrong.readUInt8(7) + 1) % 256, 7);
  let asked = 0;
  await using gateway = await httpServer((_request, response) => {
    asked += 1;
    const headers = { 'Content-Type': 'application/octet-stream', 'Content-Length': wrong.length };
    response.writeHead(200, headers).end(asked <= 2 ? wrong : payload.bytes);
  });
  const sidecar = await sidecarBefore(gateway.url, { cacheSize: 8 * MIB });
  const key = keyFor(payload);
  expectError(await sidecar.get(key, payload), 'integrity');
  expect(asked).toBe(2);
  expect((await sidecar.get(key, payload)).body.equals(payload.bytes)).toBe(true);
  expect(await metric(sidecar, 'payload_store_cache_refused_total')).toBe(2);
});
