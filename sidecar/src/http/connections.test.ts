import { createServer } from 'node:http';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { headText, RawConnection } from '@largepayload/testing/servers/raw-connection';
import { call, expectError } from '@largepayload/testing/service/http-call';
import { metadataHeader, testPayload } from '@largepayload/testing/service/payload';
import { startService, type TestService } from '@largepayload/testing/service/running-service';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { answerBrokenHead } from './broken-head.ts';
import { Connections } from './connections.ts';

const KIB = 1024;
const RULES = { connections: 64, largeHeads: 4, largestHead: 256 * KIB, smallHead: 8 * KIB };

let service: TestService;
beforeAll(async () => {
  service = await startService({ limits: { connections: RULES } });
});
afterAll(() => service[Symbol.asyncDispose]());

/** Connections from one address of this machine that send the text and then nothing more. */
async function openMany(count: number, text: string, localAddress = '127.0.0.2') {
  const { hostname, port } = new URL(`http://${service.data}`);
  const sockets: Socket[] = [];
  let closed = 0;
  for (let index = 0; index < count; index += 1) {
    const socket = connect({ host: hostname, port: Number(port), localAddress });
    socket
      .on('error', () => {})
      .on('close', () => {
        closed += 1;
      });
    socket.resume();
    await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
    socket.write(text);
    sockets.push(socket);
  }
  return {
    closed: () => closed,
    [Symbol.dispose]: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}

const put = (content: string, metadataBytes = 10) => {
  const { bytes, putPath, putHeaders } = testPayload(content);
  const metadata = metadataHeader({ encoding: 'json/plain', note: 'n'.repeat((metadataBytes * 9) / 16) });
  const headers = { ...putHeaders, 'X-Temporal-Metadata': metadata };
  return call(service.data, putPath, { method: 'PUT', headers, body: bytes });
};

async function ofHundredPuts(name: string): Promise<number> {
  let stored = 0;
  for (let index = 0; index < 100; index += 1) {
    const answer = await put(`${name} ${index}`).catch(() => undefined);
    if (answer?.status === 201) stored += 1;
  }
  return stored;
}

describe('when the places run out', () => {
  test.each([
    ['idle ones', ''],
    ['unfinished heads', 'PUT /v2/blobs/put HTTP/1.1\r\nX-A: '],
    ['kept ones', headText('HEAD /v2/health/head HTTP/1.1')],
  ])('%s are closed, and others are served', async (name, text) => {
    using idle = await openMany(200, text);
    expect(await ofHundredPuts(name)).toBeGreaterThanOrEqual(95);
    expect(idle.closed()).toBeGreaterThanOrEqual(136);
  });

  test('one with a request in flight stays, and loses nothing', async () => {
    const { bytes, putPath, putHeaders } = testPayload('in flight meanwhile');
    await using connection = await RawConnection.open(service.data);
    await connection.sendHead(`PUT ${putPath} HTTP/1.1`, putHeaders);
    await connection.send(bytes.subarray(0, 5));
    using _idle = await openMany(200, '');
    await connection.send(bytes.subarray(5));
    expect((await connection.answer()).status).toBe(201);
  });

  test('the peer that has the most gives them up', async () => {
    await using other = await RawConnection.open(service.data);
    await other.sendHead('HEAD /v2/health/head HTTP/1.1', {});
    expect((await other.answer()).status).toBe(200);
    using _idle = await openMany(200, '', '127.0.0.3');
    await other.sendHead('HEAD /v2/health/head HTTP/1.1', {});
    expect((await other.answer()).status).toBe(200);
  });
});

describe('large heads', () => {
  const large = 'a'.repeat(107_000);

  test('that are not complete are few, and give way to those of others', async () => {
    using flood = await openMany(40, `PUT /v2/blobs/put HTTP/1.1\r\nX-A: ${large}`);
    await eventually('all but few are refused', () => flood.closed() >= 36);
    expect(await ofHundredPuts('beside large heads')).toBeGreaterThanOrEqual(95);
    // Ours gets one of the few places, at once or after a refusal that asks it to try again.
    await eventually('a large head is taken', async () => (await put('large head', 107_000)).status < 300);
  });

  test('that find no place are asked to try again', async () => {
    const holding = await Promise.all([1, 2, 3, 4].map(() => RawConnection.open(service.data)));
    for (const connection of holding) {
      const { bytes, putPath, putHeaders } = testPayload(`held ${holding.indexOf(connection)}`);
      await connection.sendHead(`PUT ${putPath} HTTP/1.1`, putHeaders);
      await connection.send(bytes.subarray(0, 2));
    }
    await sleep(100);
    await using late = await RawConnection.open(service.data);
    await late.send(`PUT /v2/blobs/put HTTP/1.1\r\nX-A: ${large}`);
    expectError(await late.answer(), 'busy');
    await late.closed();
    for (const connection of holding) connection.socket.destroy();
  });

  test('end their connection before it has kept much of them', async () => {
    await using own = await startService();
    await using connection = await RawConnection.open(own.data);
    await connection.sendHead('HEAD /v2/health/head HTTP/1.1', { 'X-A': large });
    expect(await connection.answer()).toMatchObject({ status: 200, headers: { connection: 'close' } });
    await connection.closed();
  });

  test.each(['metrics', 'admin'] as const)('have no use on the %s port', async (port) => {
    await using connection = await RawConnection.open(service[port]);
    await connection.sendHead('GET /healthz HTTP/1.1', { 'X-A': 'a'.repeat(20 * KIB) });
    expectError(await connection.answer(), 'headers_too_large');
  });
});

test.each([
  ['more requests than are answered one by one', headText('GET /v1/blobs/get HTTP/1.1').repeat(2_000)],
  ['more header lines than any client', headText('GET / HTTP/1.1', manyHeaders(300))],
])('%s end the connection', async (_name, text) => {
  await using connection = await RawConnection.open(service.data);
  await connection.send(text);
  await connection.closed();
  expect((await call(service.data, '/v2/health/head', { method: 'HEAD' })).status).toBe(200);
});

test.each(['metrics', 'admin'] as const)('the %s port serves though others hold its places', async (port) => {
  const { hostname, port: number } = new URL(`http://${service[port]}`);
  const sockets = Array.from({ length: 200 }, () => connect(Number(number), hostname).on('error', () => {}));
  await sleep(200);
  const path = port === 'metrics' ? '/healthz' : '/admin/payload-store/status';
  expect((await call(service[port], path)).status).toBe(200);
  for (const socket of sockets) socket.destroy();
});

test("Node takes the largest head of a connection from its server, and keeps no connection's parser", async () => {
  const server = createServer((_request, response) => void response.end());
  new Connections(server, { ...RULES, largeHeads: 1 }, answerBrokenHead);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  const statusOf = async (connection: RawConnection) => {
    await connection.send(headText('GET / HTTP/1.1', { 'X-A': 'a'.repeat(20 * KIB) }));
    return (await connection.answer()).status;
  };
  await using first = await RawConnection.open(`127.0.0.1:${port}`);
  await using second = await RawConnection.open(`127.0.0.1:${port}`);
  expect(await statusOf(first)).toBe(200);
  expect(await statusOf(second)).toBe(431);
  server.closeAllConnections();
  server.close();
  const { parsers } = process.getBuiltinModule('_http_common') as unknown as { parsers: { max: number } };
  expect(parsers.max).toBe(0);
});

function manyHeaders(count: number): Record<string, string> {
  return Object.fromEntries(Array.from({ length: count }, (_, index) => [`X-${index}`, 'x']));
}

describe('a peer that asks and does not take the answer', () => {
  /** A server with answers of 32 MiB, more than the kernel takes for a peer that does not read, or of 2 bytes. */
  async function serverOf(answerTimeMs: number | undefined) {
    const rules = { connections: 16, largeHeads: 0, largestHead: 8 * KIB, smallHead: 8 * KIB };
    const large = Buffer.alloc(32 * 1024 * KIB);
    const server = createServer((request, response) => {
      if (!guard.admit(request, response)) return;
      response.end(request.url === '/large' ? large : 'ok');
    });
    const guard = new Connections(
      server,
      answerTimeMs === undefined ? rules : { ...rules, answerTimeMs },
      answerBrokenHead,
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as { port: number };
    const silent: Socket[] = [];
    const askSilently = async () => {
      const socket = connect({ port, host: '127.0.0.1', localAddress: '127.0.0.2' }).on('error', () => {});
      await new Promise((resolve) => socket.once('connect', resolve));
      socket.pause().write(headText('GET /large HTTP/1.1'));
      silent.push(socket);
    };
    const count = () =>
      new Promise<number>((resolve) => server.getConnections((_error, open) => resolve(open)));
    const dispose = async () => {
      for (const socket of silent) socket.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    };
    return { address: `127.0.0.1:${port}`, askSilently, count, [Symbol.asyncDispose]: dispose };
  }

  test('loses its connection after a while', async () => {
    await using server = await serverOf(50);
    await server.askSilently();
    await eventually('it is closed', async () => (await server.count()) === 0);
  });

  test('gives way when the places run out', async () => {
    await using server = await serverOf(undefined);
    for (let index = 0; index < 15; index += 1) await server.askSilently();
    let served = 0;
    for (let index = 0; index < 20; index += 1) {
      const answer = await call(server.address, '/').catch(() => undefined);
      if (answer?.status === 200) served += 1;
    }
    expect(served).toBe(20);
  });
});
