import { once } from 'node:events';
import { connect as connectByTcp, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { headText, RawConnection } from '@largepayload/testing/servers/raw-connection';
import { call, expectError, keyOf } from '@largepayload/testing/service/http-call';
import { generatedBytes, getPath, metadataHeader, testPayload } from '@largepayload/testing/service/payload';
import {
  filesIn,
  startService,
  type TestService,
  temporaryFolder,
} from '@largepayload/testing/service/running-service';
import { writeCertificateSecret } from '@largepayload/testing/tls/secret-folder';
import { testAuthority } from '@largepayload/testing/tls/test-authority';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const KIB = 1024;
const AUTHORITY = testAuthority();
const tls = { ca: AUTHORITY.certificate };
const HEALTH = 'HEAD /v2/health/head HTTP/1.1';

let tlsFolder: string;
let service: TestService;
/** Takes 4 handshakes at a time, and gives a connection 1.5 s for its own. */
let small: TestService;
beforeAll(async () => {
  tlsFolder = await temporaryFolder();
  await writeCertificateSecret(tlsFolder, AUTHORITY.issue());
  service = await startService({ tlsFolder });
  const connections = {
    connections: 64,
    largeHeads: 4,
    largestHead: 256 * KIB,
    smallHead: 8 * KIB,
    handshakes: 4,
  };
  small = await startService({ tlsFolder, limits: { headersTimeout: 1_500, connections } });
});
afterAll(() => Promise.all([service, small].map((each) => each[Symbol.asyncDispose]())));

const targetOf = (address: string) => {
  const { hostname, port } = new URL(`http://${address}`);
  return { host: hostname, port: Number(port) };
};

/** Ends with what the server made of the handshake: the version of TLS and the protocol, or the error. */
function handshake(options: ConnectionOptions, address = service.data): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ ...targetOf(address), ...tls, ...options }, () => {
      resolve(`${socket.getProtocol()} ${socket.alpnProtocol}`);
      socket.destroy();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(`${error.code}`));
    socket.on('close', () => resolve('closed'));
  });
}

/** A TCP connection that sends these bytes of a handshake and then nothing more. */
async function open(bytes: Buffer | undefined, localAddress = '127.0.0.2', address = small.data) {
  const socket: Socket = connectByTcp({ ...targetOf(address), localAddress });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', () => {}).resume();
  await once(socket, 'connect');
  if (bytes !== undefined) socket.write(bytes);
  return { socket, closed, [Symbol.dispose]: () => socket.destroy() };
}

/** The first record of a client: a hello of so many bytes, of which only the beginning is there. */
function hello(declared: number, sent: number): Buffer {
  const record = Buffer.alloc(5 + sent);
  record.set([0x16, 3, 1]);
  record.writeUInt16BE(Math.min(declared + 4, 16 * KIB), 3);
  record.set([1, declared >> 16, (declared >> 8) & 0xff, declared & 0xff], 5);
  return record;
}

const put = (content: string | Buffer, ca?: string) => {
  const { bytes, putPath, putHeaders } = testPayload(content);
  return call(service.data, putPath, { method: 'PUT', headers: putHeaders, body: bytes, ...(ca && { ca }) });
};

test.each([10, 200_000, 3_000_000])(
  'what came by TLS or plainly is served by both: %i bytes',
  async (size) => {
    const { getHeaders } = testPayload(generatedBytes(size));
    for (const ca of [tls.ca, undefined]) {
      const bytes = Buffer.concat([generatedBytes(size - 1), Buffer.from(ca === undefined ? 'p' : 't')]);
      const stored = await put(bytes, ca);
      expect(stored.status).toBe(201);
      for (const asking of [{ ca: tls.ca }, {}]) {
        const answer = await call(service.data, getPath(keyOf(stored)), { headers: getHeaders, ...asking });
        expect(answer.status).toBe(200);
        expect(answer.body.equals(bytes)).toBe(true);
      }
    }
  },
);

describe('a handshake', () => {
  test.each<[string, ConnectionOptions, string | RegExp]>([
    ['is by TLS 1.3, for HTTP/1.1', { ALPNProtocols: ['h2', 'http/1.1'] }, 'TLSv1.3 http/1.1'],
    ['needs no protocol', {}, 'TLSv1.3 false'],
    ['may be by TLS 1.2', { maxVersion: 'TLSv1.2' }, 'TLSv1.2 false'],
    [
      'is refused by TLS 1.1',
      { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' },
      'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
    ],
    ['is refused for HTTP/2 alone', { ALPNProtocols: ['h2'] }, 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL'],
    [
      'is refused without forward secrecy',
      { maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256' },
      /^ERR_SSL_(SSLV3|SSL\/TLS)_ALERT_HANDSHAKE_FAILURE$/,
    ],
  ])('%s', async (_name, options, outcome) => {
    expect(await handshake(options)).toMatch(outcome);
  });

  test('takes AES with 128 bits, which costs less than 256', async () => {
    const socket = connect({ ...targetOf(service.data), ...tls });
    await once(socket, 'secureConnect');
    expect(socket.getCipher().name).toBe('TLS_AES_128_GCM_SHA256');
    socket.destroy();
  });

  test('is not repeated on a connection of TLS 1.2', async () => {
    const socket: TLSSocket = connect({ ...targetOf(service.data), ...tls, maxVersion: 'TLSv1.2' });
    await once(socket, 'secureConnect');
    const outcome = await new Promise<Error | null>((resolve) => {
      socket.renegotiate({}, resolve);
      socket.on('error', resolve);
    });
    expect(outcome?.message).toMatch(/no renegotiation/i);
    socket.destroy();
  });
});

describe('hostile beginnings of a connection', () => {
  test.each<[string, Buffer]>([
    ['a hello of a megabyte', hello(2 ** 20, 16 * KIB)],
    [
      'a hello that begins and is garbage',
      Buffer.concat([Buffer.from([0x16, 3, 1, 0, 64]), Buffer.alloc(64, 7)]),
    ],
    ['a record that no version has', Buffer.from([0x16, 9, 9, 0, 1, 0])],
    ['more than a record before our answer', Buffer.alloc(40 * KIB, 0x16)],
    ['an alert', Buffer.from([0x16, 3, 1, 0, 0, 0x15, 3, 1, 0, 2, 2, 40])],
  ])('%s ends it, and others are served', async (_name, bytes) => {
    using connection = await open(bytes, '127.0.0.1', service.data);
    await connection.closed;
    expect(await handshake({})).toMatch('TLSv1.3');
  });

  test.concurrent.each<[string, Buffer | undefined]>([
    ['says nothing', undefined],
    ['says one byte of a handshake', Buffer.from([0x16])],
    ['says half of a handshake', hello(500, 200)],
  ])('a client that %s loses its connection', async (_name, bytes) => {
    using connection = await open(bytes, '127.0.0.1');
    await connection.closed;
  });

  test.concurrent('a handshake of one byte at a time ends when its time is over', async () => {
    using connection = await open(hello(500, 4));
    const dripping = setInterval(() => connection.socket.write(Buffer.alloc(1)), 50);
    await connection.closed.finally(() => clearInterval(dripping));
  });

  test.concurrent('a client that leaves in mid handshake leaves nothing', async () => {
    const connection = await open(hello(500, 200), '127.0.0.4');
    connection.socket.resetAndDestroy();
    await connection.closed;
  });
});

test('a flood of slow handshakes takes the places of its own peer, and others shake hands', async () => {
  const flood = await Promise.all(Array.from({ length: 40 }, () => open(hello(500, 200), '127.0.0.2')));
  for (let count = 0; count < 5; count += 1) {
    expect(await handshake({}, small.data)).toMatch('TLSv1.3');
    expect((await call(small.data, '/v2/health/head', { method: 'HEAD' })).status).toBe(200);
  }
  await Promise.all(flood.map(({ closed }) => closed));
});

test('many clients that shake hands at once all get their turn', async () => {
  const outcomes = await Promise.all(Array.from({ length: 40 }, () => handshake({}, small.data)));
  expect(outcomes).toEqual(Array(40).fill('TLSv1.3 false'));
});

describe('the limits of connections hold over TLS:', () => {
  test('idle ones give way when the places run out', async () => {
    const idle = await Promise.all(
      Array.from({ length: 3 }, async () => await RawConnection.open(small.data, { tls })),
    );
    let served = 0;
    for (let count = 0; count < 80; count += 1) {
      idle.push(await RawConnection.open(small.data, { tls }));
      await idle.at(-1)?.sendHead(HEALTH, {});
      if ((await idle.at(-1)?.answer())?.status === 200) served += 1;
    }
    expect(served).toBe(80);
    await eventually('the first are closed', () => idle.filter(({ ended }) => ended).length >= 16);
    for (const { socket } of idle) socket.destroy();
  });

  test('a head that is larger than the largest is refused', async () => {
    await using connection = await RawConnection.open(service.data, { tls });
    await connection.sendHead(HEALTH, { 'X-A': 'a'.repeat(260 * KIB) });
    expectError(await connection.answer(), 'headers_too_large');
    await connection.closed();
  });

  test('a head with the largest metadata in use is taken', async () => {
    const { bytes, putPath, putHeaders } = testPayload('a large head over TLS');
    const metadata = metadataHeader({ encoding: 'json/plain', note: 'n'.repeat(60_000) });
    const headers = { ...putHeaders, 'X-Temporal-Metadata': metadata };
    const answer = await call(service.data, putPath, { method: 'PUT', headers, body: bytes, ...tls });
    expect(answer.status).toBe(201);
  });

  test('a head that is slow is cut off', async () => {
    await using connection = await RawConnection.open(small.data, { tls });
    await connection.send('GET /v2/health/head HTTP/1.1\r\nX-Slow: ');
    expectError(await connection.answer(), 'request_timeout');
    await connection.closed();
  });

  test('more requests than are answered one by one end the connection', async () => {
    await using connection = await RawConnection.open(service.data, { tls });
    await connection.send(headText('GET /v1/blobs/get HTTP/1.1').repeat(2_000));
    await connection.closed();
  });
});

describe('requests of one connection', () => {
  test('are answered in their order when they come together', async () => {
    const { bytes, putPath, putHeaders } = testPayload('sent together');
    await using connection = await RawConnection.open(service.data, { tls });
    const head = headText(`PUT ${putPath} HTTP/1.1`, putHeaders);
    await connection.send(
      Buffer.concat([Buffer.from(head), bytes, Buffer.from(headText('GET /no HTTP/1.1'))]),
    );
    expect((await connection.answer()).status).toBe(201);
    expectError(await connection.answer(), 'unknown_route');
  });

  test('that hide another one behind two lengths are refused', async () => {
    await using connection = await RawConnection.open(service.data, { tls });
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
    await using connection = await RawConnection.open(service.data, { tls });
    await connection.send('garbage\r\n\r\n');
    expectError(await connection.answer(), 'malformed_request');
    await connection.closed();
  });

  test.each([{ tls }, {}])(
    'get no answer when the client has ended its side, as by plain HTTP',
    async (by) => {
      const { bytes, putPath, putHeaders } = testPayload('half closed');
      await using connection = await RawConnection.open(service.data, { ...by, allowHalfOpen: true });
      await connection.sendHead(`PUT ${putPath} HTTP/1.1`, putHeaders);
      connection.socket.end(bytes);
      await connection.closed();
      expect(connection.received.length).toBe(0);
    },
  );
});

describe('a PUT that ends early stores nothing:', () => {
  test.each<[string, (socket: Socket) => void]>([
    ['by a close_notify', (socket) => socket.end()],
    ['by the end of TCP alone', (socket) => socket.destroy()],
  ])('%s', async (name, end) => {
    const { bytes, putPath, putHeaders } = testPayload(generatedBytes(300_000 + name.length));
    const before = await filesIn(service.folder);
    await using connection = await RawConnection.open(service.data, { tls });
    await connection.sendHead(`PUT ${putPath} HTTP/1.1`, putHeaders);
    await connection.send(bytes.subarray(0, 150_000));
    end(connection.socket);
    await sleep(100);
    expect((await filesIn(service.folder)).filter((file) => !file.startsWith('/.'))).toEqual(
      before.filter((file) => !file.startsWith('/.')),
    );
  });

  test('by bytes that were altered on their way', async () => {
    const { bytes, putPath, putHeaders } = testPayload(generatedBytes(100_001));
    const tcp = connectByTcp(targetOf(service.data));
    const socket = connect({ socket: tcp, servername: 'localhost', ...tls });
    await once(socket, 'secureConnect');
    const closed = new Promise((resolve) => socket.on('error', () => {}).once('close', resolve));
    socket.write(headText(`PUT ${putPath} HTTP/1.1`, putHeaders));
    socket.write(bytes.subarray(0, 50_000));
    await sleep(50);
    // A record of application data that no key has made.
    tcp.write(Buffer.concat([Buffer.from([0x17, 3, 3, 0, 64]), Buffer.alloc(64)]));
    // Long before its transfer would be found slow.
    expect(await Promise.race([closed, sleep(15_000, 'open', { ref: false })])).not.toBe('open');
    expect((await call(service.data, '/v2/health/head', { method: 'HEAD', ...tls })).status).toBe(200);
  });
});

test('at the end of the service idle connections are closed, and the last answer comes', async () => {
  const ending = await startService({ tlsFolder });
  await using idle = await RawConnection.open(ending.data, { tls });
  await idle.sendHead(HEALTH, {});
  expect((await idle.answer()).status).toBe(200);
  using silent = await open(hello(500, 200), '127.0.0.1', ending.data);
  const { bytes, putPath, putHeaders } = testPayload('the last one');
  await using busy = await RawConnection.open(ending.data, { tls });
  await busy.sendHead(`PUT ${putPath} HTTP/1.1`, putHeaders);
  await busy.send(bytes.subarray(0, 3));
  await sleep(100);
  const ended = ending[Symbol.asyncDispose]();
  await Promise.all([idle.closed(), silent.closed]);
  await busy.send(bytes.subarray(3));
  expect(await busy.answer()).toMatchObject({ status: 201, headers: { connection: 'close' } });
  await ended;
});

test('a client of TLS gets an alert while there is no certificate, and a plain one is served', async () => {
  const empty = await temporaryFolder();
  await using waiting = await startService({ tlsFolder: empty });
  expect(await handshake({}, waiting.data)).toMatch(/HANDSHAKE_FAILURE$/);
  expect((await call(waiting.data, '/v2/health/head', { method: 'HEAD' })).status).toBe(200);
});
