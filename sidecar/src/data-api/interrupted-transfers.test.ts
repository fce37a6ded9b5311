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
} from '@largepayload/testing/service/running-service';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { describe, expect, test } from 'vitest';
import { putReservation } from './limits.ts';

/** Less than what fits between two sockets would never be slow. */
const LARGE = 32 * 1024 * 1024;
const IMPATIENT = { progressPeriodMs: 400, progressBytes: 1_024 };

async function beginPut(service: TestService, payload: TestPayload, sent: number, options = {}) {
  const connection = await RawConnection.open(service.data, options);
  await connection.sendHead(`PUT ${payload.putPath} HTTP/1.1`, payload.putHeaders);
  await connection.send(payload.bytes.subarray(0, sent));
  await eventually('the PUT is in transfer', () => hasInFlight(service));
  return connection;
}

const IN_FLIGHT = 'payload_store_in_flight_requests';
const hasInFlight = async (service: TestService) => (await metric(service, IN_FLIGHT)) > 0;

async function expectNothingHeld(service: TestService): Promise<void> {
  await eventually('no transfer is left', async () => !(await hasInFlight(service)));
  expect(await metric(service, 'payload_store_in_flight_bytes')).toBe(0);
  await eventually('no temporary file is left', async () =>
    (await filesIn(service.folder)).every((file) => !file.startsWith('/.payload-store')),
  );
}

async function stored(service: TestService, payload: TestPayload): Promise<string> {
  const { putPath, putHeaders, bytes } = payload;
  return keyOf(await call(service.data, putPath, { method: 'PUT', headers: putHeaders, body: bytes }));
}

describe.concurrent('a client that leaves in the middle of its PUT', () => {
  const payload = testPayload(generatedBytes(3_000_000));

  test.each([0, 1, 100_000, 2_999_999])('after %i bytes leaves nothing', async (sent) => {
    await using service = await startService();
    await using connection = await beginPut(service, payload, sent);
    connection.socket.resetAndDestroy();
    await expectNothingHeld(service);
    expect(await filesIn(service.folder)).toEqual([]);
    expect(await metric(service, 'payload_store_put_total{result="body_incomplete"}')).toBe(1);
  });

  test('by ending its side too early gets an error', async () => {
    await using service = await startService();
    await using connection = await beginPut(service, payload, 100_000, { allowHalfOpen: true });
    connection.socket.end();
    const answer = await connection.answer();
    expect(answer.status).toBe(400);
    await expectNothingHeld(service);
    expect(await filesIn(service.folder)).toEqual([]);
  });

  test('while what is stored already is examined holds nothing until it is found slow', async () => {
    await using service = await startService();
    const large = testPayload(generatedBytes(LARGE));
    await stored(service, large);
    for (let round = 0; round < 3; round += 1) {
      await using connection = await beginPut(service, large, 0);
      connection.socket.resetAndDestroy();
      await expectNothingHeld(service);
    }
  });
});

describe.concurrent('a client that is slow', () => {
  test('to send is refused, and leaves nothing', async () => {
    await using service = await startService({ limits: IMPATIENT });
    const payload = testPayload(generatedBytes(1_000_000));
    await using connection = await beginPut(service, payload, 10_000);
    const dripping = setInterval(() => void connection.send('x'), 50);
    try {
      expectError(await connection.answer(), 'request_timeout');
    } finally {
      clearInterval(dripping);
    }
    await expectNothingHeld(service);
    expect(await filesIn(service.folder)).toEqual([]);
  });

  test('but not too slow is served', async () => {
    // Periods of two seconds, as a busy machine may stand still for one; the transfer takes more than two of them.
    await using service = await startService({ limits: { ...IMPATIENT, progressPeriodMs: 2_000 } });
    const payload = testPayload(generatedBytes(60_000));
    await using connection = await beginPut(service, payload, 10_000);
    for (let from = 10_000; from < 60_000; from += 2_500) {
      await connection.send(payload.bytes.subarray(from, from + 2_500));
      await new Promise((resolve) => setTimeout(resolve, 240));
    }
    expect((await connection.answer()).status).toBe(201);
  });

  test('longer than a PUT may take is refused, however much it sends', async () => {
    await using service = await startService({ ttl: '8s' });
    const payload = testPayload(generatedBytes(10_000_000));
    await using connection = await beginPut(service, payload, 10_000);
    const streaming = setInterval(() => void connection.send(Buffer.alloc(50_000)), 50);
    try {
      expectError(await connection.answer(), 'put_timeout');
    } finally {
      clearInterval(streaming);
    }
    await expectNothingHeld(service);
    // The service may write one of its own records at this moment.
    await eventually('no file is left', async () => (await filesIn(service.folder)).length === 0);
  });

  test('to read is cut off, and frees what it held', async () => {
    await using service = await startService({ limits: IMPATIENT });
    const payload = testPayload(generatedBytes(LARGE));
    const key = await stored(service, payload);
    await using connection = await RawConnection.open(service.data);
    connection.socket.pause();
    await connection.sendHead(`GET ${getPath(key)} HTTP/1.1`, payload.getHeaders);
    await eventually('the GET is in transfer', () => hasInFlight(service));
    await expectNothingHeld(service);
    connection.socket.resume();
    await connection.closed();
    expect(connection.received.length).toBeLessThan(LARGE);
    const errors = 'payload_store_get_errors_total{code="body_incomplete"}';
    await eventually('the error is counted', async () => (await metric(service, errors)) === 1);
  });
});

test.concurrent('a client that leaves in the middle of its GET frees what it held', async () => {
  await using service = await startService();
  const payload = testPayload(generatedBytes(LARGE));
  const key = await stored(service, payload);
  for (let round = 0; round < 3; round += 1) {
    await using connection = await RawConnection.open(service.data);
    connection.socket.pause();
    await connection.sendHead(`GET ${getPath(key)} HTTP/1.1`, payload.getHeaders);
    await eventually('the GET is in transfer', () => hasInFlight(service));
    connection.socket.resetAndDestroy();
    await expectNothingHeld(service);
  }
  const whole = await call(service.data, getPath(key), { headers: payload.getHeaders });
  expect(whole.body.equals(payload.bytes)).toBe(true);
});

test.concurrent('beyond the budget requests are turned away, and are served once there is room', async () => {
  const mebibyte = 1024 * 1024;
  const inFlightBytes = 2 * putReservation(3 * mebibyte);
  await using service = await startService({ limits: { inFlightBytes, waitTimeMs: 100 } });
  const small = testPayload('small');
  const smallKey = await stored(service, small);
  const large = [1, 2].map((seed) => testPayload(generatedBytes(3 * mebibyte, seed)));
  const holding = [];
  for (const payload of large) holding.push(await beginPut(service, payload, 1_000));
  await eventually(
    'the budget is used up',
    async () => (await metric(service, 'payload_store_in_flight_bytes')) === inFlightBytes,
  );
  expectError(await call(service.data, getPath(smallKey), { headers: small.getHeaders }), 'busy');
  const refused = testPayload('refused');
  const put = { method: 'PUT', headers: refused.putHeaders, body: refused.bytes };
  expectError(await call(service.data, refused.putPath, put), 'busy');
  expect((await call(service.data, '/v2/health/head', { method: 'HEAD' })).status).toBe(200);

  for (const [index, connection] of holding.entries()) {
    await connection.send(large[index]?.bytes.subarray(1_000) ?? '');
    expect((await connection.answer()).status).toBe(201);
  }
  await expectNothingHeld(service);
  expect((await call(service.data, refused.putPath, put)).status).toBe(201);
  expect((await call(service.data, getPath(smallKey), { headers: small.getHeaders })).status).toBe(200);
  for (const connection of holding) connection.socket.destroy();
});

test.concurrent('a body that goes on after its answer ends the connection, whatever it was sent to', async () => {
  await using service = await startService({ limits: { maxPayloadSize: 1_000 } });
  const { putPath, putHeaders } = testPayload('');
  const { 'Content-Length': _, ...withoutLength } = putHeaders;
  const endless = { 'Content-Length': String(10 ** 12) };
  const requests: [string, Record<string, string>, number][] = [
    [`PUT ${putPath}`, { ...putHeaders, ...endless }, 413],
    [`PUT ${putPath}`, { ...withoutLength, 'Transfer-Encoding': 'chunked' }, 411],
    ['PUT /unknown', endless, 404],
    ['GET /v1/blobs/get', endless, 400],
    ['HEAD /v2/health/head', endless, 200],
  ];
  const outcomes = requests.map(async ([line, headers, status]) => {
    await using connection = await RawConnection.open(service.data);
    await connection.sendHead(`${line} HTTP/1.1`, headers);
    await connection.closed();
    expect(connection.received.toString()).toMatch(`HTTP/1.1 ${status} `);
  });
  await Promise.all(outcomes);
});

test.concurrent('an answer that is given up while it waits for the one before it closes the connection', async () => {
  await using service = await startService({ limits: IMPATIENT });
  const payload = testPayload(generatedBytes(LARGE));
  const path = getPath(await stored(service, payload));
  await using connection = await RawConnection.open(service.data);
  const { socket } = connection;
  socket.pause();
  await connection.sendHead(`GET ${path} HTTP/1.1`, payload.getHeaders);
  await connection.sendHead(`GET ${path} HTTP/1.1`, payload.getHeaders);
  await eventually('both are in transfer', async () => (await metric(service, IN_FLIGHT)) === 2);
  // The first one moves on all the time, and the second one cannot.
  const reading = setInterval(() => socket.resume().once('data', () => socket.pause()), 10);
  await eventually('one is given up', async () => (await metric(service, IN_FLIGHT)) < 2, 10_000);
  clearInterval(reading);
  socket.resume();
  await eventually('the connection is closed', () => connection.ended, 10_000);
  expect(connection.received.length).toBeLessThan(2 * LARGE);
  await expectNothingHeld(service);
});
