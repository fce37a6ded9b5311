import { createHash, randomFillSync } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { call, expectError, keyOf } from '../testing/http-call.ts';
import { getHeaders, getPath, METADATA_HEADER, OCTETS, putPath, testPayload } from '../testing/payload.ts';
import { realProgram } from '../testing/real-program.ts';
import { metric } from '../testing/running-service.ts';

// Side by side, as one of them mostly waits.
const { serve, newFolder } = realProgram();

const MEBIBYTE = 1024 * 1024;
const SIZE = 1024 * MEBIBYTE;
/** Of one transfer of any size: what the sidecar's memory request is made for. */
const LIMIT = 192 * MEBIBYTE;

const block = randomFillSync(Buffer.alloc(MEBIBYTE));

/** A body made as it is sent, no two mebibytes of it alike; the blocks are new ones, as the socket may still hold the last. */
function generatedBody(): Readable {
  const parts = function* () {
    for (let at = 0; at < SIZE; at += MEBIBYTE) {
      const part = Buffer.from(block);
      part.writeDoubleLE(at);
      yield part;
    }
  };
  return Readable.from(parts());
}

async function digestOf(body: Readable): Promise<string> {
  const running = createHash('sha256');
  for await (const chunk of body) running.update(chunk);
  return `sha256:${running.digest('hex')}`;
}

async function memoryOf(pid: number | undefined, field: 'VmHWM' | 'VmRSS'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1024;
}

function putBody(address: string, digest: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const headers = {
      'Content-Type': OCTETS,
      'Content-Length': SIZE,
      'X-Temporal-Metadata': METADATA_HEADER,
    };
    const url = `http://${address}${putPath('orders', digest)}`;
    const outgoing = request(url, { method: 'PUT', headers, agent: false }, async (response) => {
      const body = Buffer.concat(await response.toArray());
      if (response.statusCode === 201) resolve(keyOf({ status: 201, headers: {}, body }));
      else reject(new Error(`${response.statusCode}: ${body}`));
    });
    generatedBody().pipe(outgoing.once('error', reject));
  });
}

function digestOfGet(address: string, key: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const options = { headers: getHeaders(SIZE), agent: false };
    const outgoing = request(`http://${address}${getPath(key)}`, options, (response) => {
      digestOf(response).then(resolve, reject);
    });
    outgoing.once('error', reject).end();
  });
}

test.concurrent('a payload of any size passes through a bounded memory', async () => {
  await using service = await serve({ dataFolder: await newFolder('large') });
  const idle = await memoryOf(service.process.pid, 'VmRSS');
  const digest = await digestOf(generatedBody());

  const key = await putBody(service.data, digest);
  expect(await digestOfGet(service.data, key)).toBe(digest);

  const peak = await memoryOf(service.process.pid, 'VmHWM');
  const told = (bytes: number) => `${Math.round(bytes / MEBIBYTE)} MiB`;
  console.log(`resident: ${told(idle)} idle, ${told(peak)} at most for a PUT and a GET of ${told(SIZE)}`);
  expect(peak).toBeLessThanOrEqual(LIMIT);
});

test.concurrent('equal bytes put again live their whole TTL from then on', async () => {
  const ttl = 8_000;
  const { bytes, putPath, putHeaders, getHeaders } = testPayload('kept for eight seconds');
  await using service = await serve({
    dataFolder: await newFolder('again'),
    ttl: '8s',
    reaperInterval: '1s',
  });
  const put = () => call(service.data, putPath, { method: 'PUT', headers: putHeaders, body: bytes });
  const get = (key: string) => call(service.data, getPath(key), { headers: getHeaders });
  const firstKey = keyOf(await put());
  const firstTime = performance.now();
  // Shortly before the first one may go.
  await sleep(ttl - 500);
  const again = await put();
  const acknowledged = performance.now();
  const lastKey = keyOf(again);
  expect(again.status).toBe(201);
  expect(lastKey).not.toBe(firstKey);
  expect(performance.now() - firstTime).toBeLessThan(ttl + 2_000);
  expect((await get(firstKey)).status).toBe(200);

  while (performance.now() < acknowledged + ttl - 200) {
    const { status } = await get(lastKey);
    if (performance.now() < acknowledged + ttl) expect(status).toBe(200);
    await sleep(100);
  }
  expectError(await get(firstKey), 'key_not_found');
  expect(await metric(service, 'payload_store_cleanup_deleted_total')).toBe(1);
});
