import { rm } from 'node:fs/promises';
import { RawConnection } from '@largepayload/testing/servers/raw-connection';
import { call, expectError, keyOf } from '@largepayload/testing/service/http-call';
import {
  generatedBytes,
  getPath,
  type TestPayload,
  testPayload,
} from '@largepayload/testing/service/payload';
import {
  filesIn,
  metric,
  startService,
  type TestService,
  temporaryFolder,
} from '@largepayload/testing/service/running-service';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { expect, test } from 'vitest';

const MIB = 1024 * 1024;
/** More than fits between two sockets. */
const LARGE = 32 * MIB;
/** Room for one large transfer. */
const ONE_PLACE = { inFlightBytes: MIB };

const put = (service: TestService, { putPath, putHeaders, bytes }: TestPayload) =>
  call(service.data, putPath, { method: 'PUT', headers: putHeaders, body: bytes });

async function memoryIsUsed(service: TestService): Promise<void> {
  const used = async () => (await metric(service, 'payload_store_in_flight_bytes')) === MIB;
  await eventually('the memory of transfers is used', used);
}

/** A PUT that holds all memory, until the rest of its body is sent. */
async function holder(service: TestService) {
  const payload = testPayload(generatedBytes(2 * MIB, 99));
  const connection = await RawConnection.open(service.data);
  await connection.sendHead(`PUT ${payload.putPath} HTTP/1.1`, payload.putHeaders);
  await memoryIsUsed(service);
  return {
    finish: async () => {
      await connection.send(payload.bytes);
      expect((await connection.answer()).status).toBe(201);
    },
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  };
}

test('PUTs and GETs that find the memory used up are served one after the other, when a transfer ends', async () => {
  await using service = await startService({ limits: { ...ONE_PLACE, waitTimeMs: 60_000 } });
  const payloads = Array.from({ length: 6 }, (_, seed) => testPayload(generatedBytes(MIB, seed + 1)));
  const [first] = payloads as [TestPayload];
  const key = keyOf(await put(service, first));
  await using holding = await holder(service);
  let answered = 0;
  const waiting = payloads.flatMap((payload) => [
    put(service, payload),
    call(service.data, getPath(key), { headers: first.getHeaders }),
  ]);
  for (const request of waiting)
    void request.finally(() => {
      answered += 1;
    });
  // Needs no memory of transfers, and its answer shows that the service has turned meanwhile.
  expect((await call(service.data, '/v2/health/head', { method: 'HEAD' })).status).toBe(200);
  expect(answered).toBe(0);
  await holding.finish();
  const answers = await Promise.all(waiting);
  expect(answers.map(({ status }) => status)).toEqual(
    payloads.flatMap((_, index) => [index === 0 ? 200 : 201, 200]),
  );
  await eventually(
    'no memory is held',
    async () => (await metric(service, 'payload_store_in_flight_bytes')) === 0,
  );
});

test('a request beyond the length of the line gets busy at once', async () => {
  await using service = await startService({ limits: { ...ONE_PLACE, waitTimeMs: 60_000, mostWaiting: 1 } });
  await using holding = await holder(service);
  const payload = testPayload(generatedBytes(MIB, 1));
  const two = [put(service, payload), put(service, payload)];
  // One of them waits; which one is not known.
  expectError(await Promise.race(two), 'busy');
  await holding.finish();
  expect((await Promise.all(two)).map(({ status }) => status).toSorted()).toEqual([201, 503]);
});

test('time in line counts as time of the PUT: at its limit the answer is busy, and nothing is stored', async () => {
  await using folder = await newFolder();
  const large = testPayload(generatedBytes(LARGE));
  let key: string;
  {
    await using service = await startService({ folder: folder.path });
    key = keyOf(await put(service, large));
  }
  const limits = { ...ONE_PLACE, waitTimeMs: 60_000, putTimeLimitMs: 300 };
  await using service = await startService({ folder: folder.path, limits });
  const files = await filesIn(folder.path);
  await using reading = await RawConnection.open(service.data);
  reading.socket.pause();
  await reading.sendHead(`GET ${getPath(key)} HTTP/1.1`, large.getHeaders);
  await memoryIsUsed(service);
  expectError(await put(service, testPayload(generatedBytes(MIB, 1))), 'busy');
  expect(await metric(service, 'payload_store_in_flight_requests')).toBe(1);
  expect(await filesIn(folder.path)).toEqual(files);
});

async function newFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await temporaryFolder();
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}
