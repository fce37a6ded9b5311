import { once } from 'node:events';
import { connect as connectByTcp, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect } from 'node:tls';
import { headText, RawConnection } from '@largepayload/testing/servers/raw-connection';
import { call, expectError, keyOf } from '@largepayload/testing/service/http-call';
import { generatedBytes, getPath, metadataHeader, testPayload } from '@largepayload/testing/service/payload';
import { filesIn, startService } from '@largepayload/testing/service/running-service';
import { eventually, eventualValue } from '@largepayload/testing/waiting/eventually';
import { describe, expect, test } from 'vitest';
import {
  folderWithCertificate,
  hello,
  openTcp,
  TRUST,
  targetOf,
  tlsServices,
} from './tls-services.fixture.ts';

const KIB = 1024;
const HEALTH = 'HEAD /v2/health/head HTTP/1.1';
const services = tlsServices();

const put = (content: string | Buffer, ca?: string) => {
  const { bytes, putPath, putHeaders } = testPayload(content);
  const options = { method: 'PUT', headers: putHeaders, body: bytes, ...(ca && { ca }) };
  return call(services.usual.data, putPath, options);
};

test.each([10, 200_000, 3_000_000])(
  'what came by TLS or plainly is served by both: %i bytes',
  async (size) => {
    const { getHeaders } = testPayload(generatedBytes(size));
    for (const ca of [TRUST.ca, undefined]) {
      const bytes = Buffer.concat([generatedBytes(size - 1), Buffer.from(ca === undefined ? 'p' : 't')]);
      const stored = await put(bytes, ca);
      expect(stored.status).toBe(201);
      for (const asking of [{ ca: TRUST.ca }, {}]) {
        const answer = await call(services.usual.data, getPath(keyOf(stored)), {
          headers: getHeaders,
          ...asking,
        });
        expect(answer.status).toBe(200);
        expect(answer.body.equals(bytes)).toBe(true);
      }
    }
  },
);

describe.concurrent('the limits of connections hold over TLS:', () => {
  test('idle ones give way when the places run out', async () => {
    const idle: RawConnection[] = [];
    let served = 0;
    for (let count = 0; count < 80; count += 1) {
      const connection = await RawConnection.open(services.small.data, { tls: TRUST });
      await connection.sendHead(HEALTH, {});
      if ((await connection.answer()).status === 200) served += 1;
      idle.push(connection);
    }
    expect(served).toBe(80);
    await eventually('the first are closed', () => idle.filter(({ ended }) => ended).length >= 16);
    for (const { socket } of idle) socket.destroy();
  });

  test('a head that is larger than the largest is refused', async () => {
    await using connection = await RawConnection.open(services.usual.data, { tls: TRUST });
    await connection.sendHead(HEALTH, { 'X-A': 'a'.repeat(260 * KIB) });
    expectError(await connection.answer(), 'headers_too_large');
    await connection.closed();
  });

  test('a head with the largest metadata in use is taken', async () => {
    const { bytes, putPath, putHeaders } = testPayload('a large head over TLS');
    const metadata = metadataHeader({ encoding: 'json/plain', note: 'n'.repeat(60_000) });
    const headers = { ...putHeaders, 'X-Temporal-Metadata': metadata };
    const answer = await call(services.usual.data, putPath, {
      method: 'PUT',
      headers,
      body: bytes,
      ...TRUST,
    });
    expect(answer.status).toBe(201);
  });

  test('a head that is slow is cut off', async () => {
    // On a busy machine, a handshake may take longer than this service allows.
    const open = () => RawConnection.open(services.impatient.data, { tls: TRUST }).catch(() => undefined);
    await using connection = await eventualValue(open);
    await connection.send('GET /v2/health/head HTTP/1.1\r\nX-Slow: ');
    expectError(await connection.answer(), 'request_timeout');
    await connection.closed();
  });

  test('more requests than are answered one by one end the connection', async () => {
    await using connection = await RawConnection.open(services.usual.data, { tls: TRUST });
    await connection.send(headText('GET /v1/blobs/get HTTP/1.1').repeat(2_000));
    await connection.closed();
  });
});

describe('requests of one connection', () => {
  test('are answered in their order when they come together', async () => {
    const { bytes, putPath, putHeaders } = testPayload('sent together');
    await using connection = await RawConnection.open(services.usual.data, { tls: TRUST });
    const head = headText(`PUT ${putPath} HTTP/1.1`, putHeaders);
    await connection.send(
      Buffer.concat([Buffer.from(head), bytes, Buffer.from(headText('GET /no HTTP/1.1'))]),
    );
    expect((await connection.answer()).status).toBe(201);
    expectError(await connection.answer(), 'unknown_route');
  });

  test('that hide another one behind two lengths are refused', async () => {
    await using connection = await RawConnection.open(services.usual.data, { tls: TRUST });
    const { putPath, putHeaders } = testPayload('smuggled');
    const lengths = { ...putHeaders, 'Transfer-Encoding': 'chunked' };
    await connection.send(
      `${headText(`PUT ${putPath} HTTP/1.1`, lengths)}0\r\n\r\n${headText('GET /no HTTP/1.1')}`,
    );
    expectError(await connection.answer(), 'malformed_request');
    await connection.closed();
    expect(connection.received.length).toBe(0);
  });

  test('garbage behind them is refused, encrypted', async () => {
    await using connection = await RawConnection.open(services.usual.data, { tls: TRUST });
    await connection.send('garbage\r\n\r\n');
    expectError(await connection.answer(), 'malformed_request');
    await connection.closed();
  });

  test.each([{ tls: TRUST }, {}])('end when the client has ended its side, as by plain HTTP', async (by) => {
    const { bytes, putPath, putHeaders } = testPayload('half closed');
    await using connection = await RawConnection.open(services.usual.data, { ...by, allowHalfOpen: true });
    await connection.sendHead(`PUT ${putPath} HTTP/1.1`, putHeaders);
    connection.socket.end(bytes);
    await connection.closed();
    expect(connection.received.length).toBe(0);
  });
});

describe('a PUT that ends early stores nothing:', () => {
  test.each<[string, (socket: Socket) => void]>([
    ['by a close_notify', (socket) => socket.end()],
    ['by the end of TCP alone', (socket) => socket.destroy()],
  ])('%s', async (name, end) => {
    const { bytes, putPath, putHeaders } = testPayload(generatedBytes(300_000 + name.length));
    const before = await filesIn(services.usual.folder);
    await using connection = await RawConnection.open(services.usual.data, { tls: TRUST });
    await connection.sendHead(`PUT ${putPath} HTTP/1.1`, putHeaders);
    await connection.send(bytes.subarray(0, 150_000));
    end(connection.socket);
    await sleep(100);
    expect((await filesIn(services.usual.folder)).filter((file) => !file.startsWith('/.'))).toEqual(
      before.filter((file) => !file.startsWith('/.')),
    );
  });

  test('by bytes that were altered on their way', async () => {
    const { bytes, putPath, putHeaders } = testPayload(generatedBytes(100_001));
    const tcp = connectByTcp(targetOf(services.usual.data));
    const socket = connect({ socket: tcp, servername: 'localhost', ...TRUST });
    await once(socket, 'secureConnect');
    const closed = new Promise((resolve) => socket.on('error', () => {}).once('close', resolve));
    socket.write(headText(`PUT ${putPath} HTTP/1.1`, putHeaders));
    socket.write(bytes.subarray(0, 50_000));
    await sleep(50);
    // A record of application data that no key has made.
    tcp.write(Buffer.concat([Buffer.from([0x17, 3, 3, 0, 64]), Buffer.alloc(64)]));
    // Long before its transfer would be found slow.
    expect(await Promise.race([closed, sleep(15_000, 'open', { ref: false })])).not.toBe('open');
    expect((await call(services.usual.data, '/v2/health/head', { method: 'HEAD', ...TRUST })).status).toBe(
      200,
    );
  });
});

test('at the end of the service idle connections are closed, and the last answer comes', async () => {
  const ending = await startService({ tlsFolder: await folderWithCertificate() });
  await using idle = await RawConnection.open(ending.data, { tls: TRUST });
  await idle.sendHead(HEALTH, {});
  expect((await idle.answer()).status).toBe(200);
  using silent = await openTcp(ending.data, hello(500, 200));
  const { bytes, putPath, putHeaders } = testPayload('the last one');
  await using busy = await RawConnection.open(ending.data, { tls: TRUST });
  await busy.sendHead(`PUT ${putPath} HTTP/1.1`, putHeaders);
  await busy.send(bytes.subarray(0, 3));
  await sleep(100);
  const ended = ending[Symbol.asyncDispose]();
  await Promise.all([idle.closed(), silent.closed]);
  await busy.send(bytes.subarray(3));
  expect(await busy.answer()).toMatchObject({ status: 201, headers: { connection: 'close' } });
  await ended;
});
