import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { RawConnection } from '@largepayload/testing/servers/raw-connection';
import { expectError } from '@largepayload/testing/service/http-call';
import { digestOf, generatedBytes } from '@largepayload/testing/service/payload';
import { startService } from '@largepayload/testing/service/running-service';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { afterEach, describe, expect, test } from 'vitest';
import {
  base64,
  decoded,
  JSON_HEADERS,
  payload,
  payloadsOf,
  post,
  startCodec,
  stored,
  told,
} from './codec-server.fixture.ts';

const MIB = 1024 * 1024;
const LARGE = generatedBytes(8 * MIB);

const services: Server[] = [];
afterEach(() => {
  for (const server of services.splice(0)) {
    server.closeAllConnections();
    server.close();
  }
});

/** A blob service that misbehaves, at `HOST:PORT`. */
async function misbehaving(listener: RequestListener): Promise<string> {
  const server = createServer(listener).listen(0, '127.0.0.1');
  services.push(server);
  await new Promise((resolve) => server.once('listening', resolve));
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

function referenceTo(bytes: Buffer) {
  const reference = { size: bytes.length, digest: digestOf(bytes), key: '/blobs/orders/common/any' };
  const marks = { encoding: base64('json/plain'), 'temporal.io/remote-codec': base64('v2') };
  return { metadata: marks, data: base64(JSON.stringify(reference)) };
}

describe('a service', () => {
  test('that breaks off is told from one that delivers', async () => {
    const service = await misbehaving((_request, response) => {
      response.writeHead(200, { 'Content-Length': LARGE.length });
      response.write(LARGE.subarray(0, MIB), () => response.destroy());
    });
    for (const previewAbove of [MIB, 16 * MIB]) {
      await using server = await startCodec(service, { previewAbove });
      const [shown, small] = await decoded(server, referenceTo(LARGE), payload('1'));
      expect(told(shown)).toMatchObject({ name: 'PayloadIntegrityError', retryable: true });
      expect(small).toEqual(payload('1'));
    }
  });

  test('that is not there is told for each payload', async () => {
    const service = await misbehaving(() => {});
    services[0]?.close();
    await using server = await startCodec(service);
    const shown = await decoded(server, referenceTo(LARGE), referenceTo(Buffer.from('s')), payload('1'));
    for (const failed of shown.slice(0, 2)) {
      expect(told(failed)).toMatchObject({
        name: 'PayloadStoreUnavailableError',
        message: expect.stringContaining('cannot be reached'),
        key: '/blobs/orders/common/any',
        retryable: true,
      });
    }
    expect(shown[2]).toEqual(payload('1'));
  });

  test('that is slow costs a call only its time', async () => {
    const asked: string[] = [];
    const service = await misbehaving((request, response) => {
      asked.push(String(request.headers['x-payload-expected-content-length']));
      response.writeHead(200, { 'Content-Length': String(asked.at(-1)) });
      response.write(LARGE.subarray(0, asked.at(-1) === '5' ? 1 : 3_000));
    });
    await using server = await startCodec(service, { limits: { workTime: 500 } });
    const shown = await decoded(server, referenceTo(LARGE), referenceTo(Buffer.from('small')), payload('1'));
    expect(told(shown[0])).toMatchObject({
      verified: false,
      previewBase64: base64(LARGE.subarray(0, 1024)),
    });
    expect(told(shown[1])).toMatchObject({
      name: 'PayloadStoreUnavailableError',
      message: expect.stringContaining('too long'),
      retryable: true,
    });
    expect(shown[2]).toEqual(payload('1'));
    expect(asked).toHaveLength(1);
    const [whole] = await decoded(server, referenceTo(Buffer.from('small')));
    expect(told(whole)).toMatchObject({ message: expect.stringContaining('too long') });
  });

  test('reads references of version 1, and names those that are large', async () => {
    const service = await misbehaving(({ url = '' }, response) => {
      const isKnown = url === `/v1/blobs/get?digest=${encodeURIComponent(digestOf(Buffer.from('old')))}`;
      response.writeHead(isKnown ? 200 : 404).end('old');
    });
    await using server = await startCodec(service);
    const versionOne = (bytes: Buffer) => {
      const { metadata, data } = referenceTo(bytes);
      const { key: _, ...reference } = JSON.parse(Buffer.from(data, 'base64').toString());
      const marks = { ...metadata, 'temporal.io/remote-codec': base64('v1') };
      return { metadata: marks, data: base64(JSON.stringify(reference)) };
    };
    const shown = await decoded(server, versionOne(Buffer.from('old')), versionOne(LARGE));
    expect(shown[0]).toEqual({ metadata: {}, data: base64('old') });
    expect(told(shown[1])).toEqual({ size: LARGE.length, verified: false, digest: digestOf(LARGE) });
  });
});

describe('calls at the same time', () => {
  test('wait for each other, and are refused when too many wait', async () => {
    let inside = 0;
    let most = 0;
    const held: (() => void)[] = [];
    const service = await misbehaving((_request, response) => {
      inside += 1;
      most = Math.max(most, inside);
      held.push(() => {
        inside -= 1;
        response.end('small');
      });
    });
    await using server = await startCodec(service, { limits: { concurrentCalls: 2, mostWaiting: 3 } });
    const reference = referenceTo(Buffer.from('small'));
    const calls = Array.from({ length: 5 }, () => post(server, '/decode', [reference]));
    await eventually('two are worked on', () => held.length === 2);
    const refused = await post(server, '/decode', [reference]);
    expectError(refused, 'busy');
    const releasing = setInterval(() => held.shift()?.(), 20);
    try {
      for (const answer of await Promise.all(calls)) {
        expect(payloadsOf(answer)[0]?.data).toBe(base64('small'));
      }
    } finally {
      clearInterval(releasing);
    }
    expect(most).toBe(2);
  });

  test('get their turn when the one before waits for a slow client, or for one that has left', async () => {
    await using service = await startService();
    const limits = { concurrentCalls: 1, bodyTime: 600 };
    await using server = await startCodec(service.data, { limits });
    const reference = await stored(service.data, 'in turn');
    const head = { ...JSON_HEADERS, 'Content-Length': '1000' };
    await using slow = await RawConnection.open(server.address);
    await slow.sendHead('POST /decode HTTP/1.1', head);
    const dripping = setInterval(() => void slow.send(' '), 50);
    await using leaving = await RawConnection.open(server.address);
    await leaving.sendHead('POST /decode HTTP/1.1', head);
    await leaving.send('{"payloads":');
    leaving.socket.resetAndDestroy();
    try {
      expect(await decoded(server, reference)).toEqual([payload('in turn')]);
      expectError(await slow.answer(), 'request_timeout');
    } finally {
      clearInterval(dripping);
    }
  });

  test('of heads that drip are cut off', async () => {
    await using service = await startService();
    await using server = await startCodec(service.data, { limits: { headersTimeout: 400 } });
    await using connection = await RawConnection.open(server.address);
    await connection.send('POST /decode HTTP/1.1\r\nX-Slow: ');
    const dripping = setInterval(() => void connection.send('a'), 50);
    try {
      expectError(await connection.answer(), 'request_timeout');
    } finally {
      clearInterval(dripping);
    }
    await connection.closed();
  });

  test('of clients that leave end their work, and leave no place taken', async () => {
    let broken = 0;
    const service = await misbehaving((request, response) => {
      if (request.headers['x-payload-expected-content-length'] === '5') return response.end('small');
      response.writeHead(200, { 'Content-Length': LARGE.length });
      response.write(LARGE.subarray(0, MIB));
      return response.once('close', () => {
        broken += 1;
      });
    });
    await using server = await startCodec(service, { limits: { concurrentCalls: 2 } });
    const body = JSON.stringify({ payloads: [referenceTo(LARGE), referenceTo(LARGE)] });
    for (let round = 1; round <= 5; round += 1) {
      await using connection = await RawConnection.open(server.address);
      await connection.sendHead('POST /decode HTTP/1.1', {
        ...JSON_HEADERS,
        'Content-Length': String(body.length),
      });
      await connection.send(body);
      // The beginning of the payload is being read by now, and never ends.
      await eventually('the service is asked', async () => {
        const open = await new Promise<number>((resolve) =>
          services[0]?.getConnections((_error, count) => resolve(count)),
        );
        return open > 0;
      });
      connection.socket.destroy();
      await eventually('its download is ended', () => broken === round);
    }
    expect(await decoded(server, referenceTo(Buffer.from('small')))).toEqual([
      { metadata: {}, data: base64('small') },
    ]);
    expect(server.log.filter(({ level }) => Number(level) >= 50)).toEqual([]);
  });

  test('of clients that take no answer are cut off', async () => {
    await using service = await startService();
    const limits = { concurrentCalls: 1, workTime: 3_000, answerTimeMs: 3_000 };
    await using server = await startCodec(service.data, { previewAbove: 16 * MIB, limits });
    const reference = await stored(service.data, LARGE);
    const body = JSON.stringify({ payloads: [payload(generatedBytes(8 * MIB)), payload(LARGE)] });
    await using connection = await RawConnection.open(server.address);
    await connection.sendHead('POST /decode HTTP/1.1', {
      ...JSON_HEADERS,
      'Content-Length': String(body.length),
    });
    await connection.send(body);
    connection.socket.pause();
    const [shown] = await decoded(server, reference);
    expect(shown?.data?.length).toBeGreaterThan(LARGE.length);
    connection.socket.resume();
    await connection.closed();
    expect(connection.received.length).toBeLessThan(body.length);
  });
});

test('a server that ends finishes the calls in flight, and takes no others', async () => {
  const held: (() => void)[] = [];
  const service = await misbehaving((_request, response) => void held.push(() => response.end('small')));
  await using server = await startCodec(service);
  await using kept = await RawConnection.open(server.address);
  const reference = referenceTo(Buffer.from('small'));
  const body = JSON.stringify({ payloads: [reference] });
  const request = { ...JSON_HEADERS, 'Content-Length': String(body.length) };
  await kept.sendHead('POST /decode HTTP/1.1', request);
  await kept.send(body);
  await eventually('it is worked on', () => held.length === 1);
  const stopped = server.stop();
  await kept.sendHead('POST /decode HTTP/1.1', request);
  await kept.send(body);
  held[0]?.();
  await eventually('both are answered', () => kept.received.toString().includes('draining'));
  expect(kept.received.toString()).toContain(base64('small'));
  await stopped;
  await expect(post(server, '/decode', [])).rejects.toThrow('ECONNREFUSED');
});
