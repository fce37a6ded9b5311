import { setTimeout as sleep } from 'node:timers/promises';
import { call, expectError, keyOf } from '@largepayload/testing/service/http-call';
import { MEMORY_LIMIT, peakMemoryOfGibibyte } from '@largepayload/testing/service/huge-payload';
import { getPath, testPayload } from '@largepayload/testing/service/payload';
import { realProgram } from '@largepayload/testing/service/real-program';
import { metric } from '@largepayload/testing/service/running-service';
import { expect, test } from 'vitest';

// Side by side, as one of them mostly waits.
const { serve, newFolder } = realProgram();

test.concurrent('a payload of any size passes through a bounded memory', async () => {
  await using service = await serve({ dataFolder: await newFolder('large') });
  expect(await peakMemoryOfGibibyte(service)).toBeLessThanOrEqual(MEMORY_LIMIT);
});

test.concurrent('equal bytes put again live their whole TTL from then on', async () => {
  // Leaves a PUT four seconds and the reaper nine, which a busy machine may need.
  const ttl = 16_000;
  const { bytes, putPath, putHeaders, getHeaders } = testPayload('kept for sixteen seconds');
  await using service = await serve({
    dataFolder: await newFolder('again'),
    ttl: '16s',
    reaperInterval: '1s',
  });
  const put = () => call(service.data, putPath, { method: 'PUT', headers: putHeaders, body: bytes });
  const get = (key: string) => call(service.data, getPath(key), { headers: getHeaders });
  const firstKey = keyOf(await put());
  const firstTime = performance.now();
  // Before the first one may go, and not so shortly that a busy machine is too late.
  await sleep(ttl - 2_000);
  const again = await put();
  const acknowledged = performance.now();
  const lastKey = keyOf(again);
  expect(again.status).toBe(201);
  expect(lastKey).not.toBe(firstKey);
  const { status } = await get(firstKey);
  if (performance.now() < firstTime + ttl) expect(status).toBe(200);

  while (performance.now() < acknowledged + ttl - 200) {
    const { status } = await get(lastKey);
    if (performance.now() < acknowledged + ttl) expect(status).toBe(200);
    await sleep(100);
  }
  expectError(await get(firstKey), 'key_not_found');
  expect(await metric(service, 'payload_store_cleanup_deleted_total')).toBe(1);
});
