import type { Socket } from 'node:net';
import { buffer } from 'node:stream/consumers';
import { head, httpServer, rawServer } from '@largepayload/testing/servers/test-server';
import { memoryService } from '@largepayload/testing/service/memory-service';
import { describe, expect, test } from 'vitest';
import { failureOf, within } from '../failures.fixture.ts';
import { digestOf } from '../wire/digest.ts';
import { PayloadIntegrityError, PayloadNotFoundError, PayloadStoreUnavailableError } from '../wire/errors.ts';
import { BlobClient } from './blob-client.ts';

const data = new Uint8Array(300_000).map((_, index) => index % 251);
const digest = digestOf(data);
const key = `/blobs/orders/common/${digest}/${digest}`;
const wanted = { key, size: data.byteLength, digest };
const announced = { 'Content-Length': data.byteLength };
const flipped = Uint8Array.from(data, (byte, index) => (index === 299_999 ? byte ^ 1 : byte));

/** Both ways to read a payload must fail alike. */
const readers: Array<[string, (client: BlobClient, signal?: AbortSignal) => Promise<Uint8Array>]> = [
  ['get', (client, signal) => client.get({ ...wanted, signal })],
  [
    'getStream',
    async (client, signal) => new Uint8Array(await buffer(await client.getStream({ ...wanted, signal }))),
  ],
];

/** Far beyond what a busy machine needs, so that it only fails what hangs. */
const HANGS_MS = 20_000;

function clientOf({ url }: { url: string }, idleTimeoutMs = HANGS_MS): BlobClient {
  return new BlobClient({ url, idleTimeoutMs });
}

function chunked(...chunks: Uint8Array[]): Buffer {
  const framed = chunks.map((chunk) =>
    Buffer.concat([Buffer.from(`${chunk.byteLength.toString(16)}\r\n`), chunk, Buffer.from('\r\n')]),
  );
  return Buffer.concat([Buffer.from(head('200 OK', { 'Transfer-Encoding': 'chunked' })), ...framed]);
}

describe.each(readers)('%s', (_name, read) => {
  test('gives what was stored, over one connection', async () => {
    await using service = await memoryService();
    service.blobs.set(key, data);
    const client = clientOf(service);
    for (const _ of [1, 2, 3]) expect(await read(client)).toEqual(data);
    expect(service.connections).toHaveLength(1);
  });

  test('gives a payload whose length is not announced', async () => {
    await using service = await rawServer((socket) =>
      socket.end(Buffer.concat([chunked(data), Buffer.from('0\r\n\r\n')])),
    );
    expect(await read(clientOf(service))).toEqual(data);
  });

  test.each<[string, boolean, (socket: Socket) => void]>([
    ['wrong bytes of the right length', false, (socket) => send(socket, head('200 OK', announced), flipped)],
    [
      'an announced length that is shorter',
      false,
      (socket) => send(socket, head('200 OK', { 'Content-Length': 5 }), 'short'),
    ],
    [
      'an announced length that is absurd',
      false,
      (socket) => send(socket, head('200 OK', { 'Content-Length': 2 ** 52 })),
    ],
    ['a longer body in chunks', false, (socket) => send(socket, chunked(data, data), '0\r\n\r\n')],
    ['a shorter body in chunks', false, (socket) => send(socket, chunked(data.subarray(1)), '0\r\n\r\n')],
    ['chunks that never end', false, (socket) => send(socket, chunked(data, data, data))],
    ['a body cut short', true, (socket) => send(socket, head('200 OK', announced), data.subarray(1)).end()],
    ['a body cut short in chunks', true, (socket) => send(socket, chunked(data)).end()],
    ['broken framing in mid-body', true, (socket) => send(socket, chunked(data.subarray(1)), 'xyz\r\n')],
    [
      'a reset in mid-body',
      true,
      (socket) =>
        socket.write(Buffer.concat([Buffer.from(head('200 OK', announced)), data.subarray(9)]), () =>
          socket.resetAndDestroy(),
        ),
    ],
  ])('integrity error: %s', async (_case, retryable, answer) => {
    await using service = await rawServer(answer);
    const failure = await failureOf(within(HANGS_MS / 2, read(clientOf(service))));
    expect(failure).toBeInstanceOf(PayloadIntegrityError);
    expect(failure).toMatchObject({ key, retryable });
  });

  test.each<[string, (socket: Socket) => void]>([
    ['nothing ever', () => undefined],
    ['nothing but a head', (socket) => socket.write(head('200 OK', announced))],
    ['half the body', (socket) => send(socket, head('200 OK', announced), data.subarray(150_000))],
    ['half a head', (socket) => socket.write('HTTP/1.1 200 OK\r\nContent-')],
    ['a closed connection', (socket) => socket.end()],
    ['a reset', (socket) => socket.resetAndDestroy()],
    ['bytes that are not HTTP', (socket) => socket.end('SSH-2.0-OpenSSH_9.6\r\n')],
    [
      'another protocol',
      (socket) => socket.end('HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: Upgrade\r\n\r\n'),
    ],
    ['an endless head', (socket) => socket.end(`HTTP/1.1 200 OK\r\nX: ${'x'.repeat(100_000)}`)],
  ])('unavailable: %s', async (_case, answer) => {
    await using service = await rawServer(answer);
    const failure = await failureOf(within(HANGS_MS / 2, read(clientOf(service, 200))));
    expect(failure).toBeInstanceOf(PayloadStoreUnavailableError);
    expect(failure).toMatchObject({ key, retryable: true });
  });

  test('fails as unavailable when nothing listens', async () => {
    const service = await memoryService();
    await service[Symbol.asyncDispose]();
    expect(await failureOf(read(clientOf(service)))).toMatchObject({
      name: 'PayloadStoreUnavailableError',
      cause: { code: 'ECONNREFUSED' },
    });
  });

  test('fails as not found when there is no such payload', async () => {
    await using service = await memoryService();
    const failure = await failureOf(read(clientOf(service)));
    expect(failure).toBeInstanceOf(PayloadNotFoundError);
    expect(failure).toMatchObject({ key, status: 404, code: 'key_not_found', retryable: false });
  });

  test.each(['before', 'after'])('an abort %s the head rejects with its reason', async (when) => {
    const abort = new AbortController();
    await using service = await rawServer((socket) => {
      if (when === 'after') send(socket, head('200 OK', announced), data.subarray(150_000));
      setTimeout(() => abort.abort(new Error('enough')), 30);
    });
    const client = new BlobClient({ url: service.url });
    expect(await failureOf(within(HANGS_MS / 2, read(client, abort.signal)))).toBe(abort.signal.reason);
  });

  test('makes no request when it is aborted beforehand', async () => {
    await using service = await memoryService();
    const reason = new Error('too late');
    expect(await failureOf(read(clientOf(service), AbortSignal.abort(reason)))).toBe(reason);
    expect(service.calls).toEqual([]);
  });
});

describe.each(readers)('%s, answered 200 by somebody else', (_name, read) => {
  const page = '<html>Log in</html>';
  const longPage = `<html>${'x'.repeat(data.byteLength)}</html>`;
  test.each<[string, string]>([
    ['a page', head('200 OK', { 'Content-Type': 'text/html', 'Content-Length': page.length }) + page],
    ['a page without a length', `${head('200 OK', { 'Content-Type': 'text/html' })}${page}`],
    ['a long page without a length', `${head('200 OK', { 'Content-Type': 'text/html' })}${longPage}`],
    [
      'a page that breaks off',
      head('200 OK', { 'Content-Type': 'text/html', 'Content-Length': 300_000 }) + page,
    ],
    ['JSON', `${head('200 OK', { 'Content-Type': 'application/json', 'Content-Length': 2 })}{}`],
    ['nothing', head('200 OK', { 'Content-Length': 0 })],
  ])('unavailable: %s', async (_case, answer) => {
    await using service = await rawServer((socket) => socket.resume().end(answer));
    const failure = await failureOf(within(HANGS_MS / 2, read(clientOf(service))));
    expect(failure).toBeInstanceOf(PayloadStoreUnavailableError);
    expect(failure).toMatchObject({ key, retryable: true, status: 200 });
    expect((failure as Error).message).toContain('is the URL that of a blob service?');
  });

  test('the payload itself is taken under any type of content', async () => {
    await using service = await httpServer((_request, response) => {
      response.writeHead(200, { 'Content-Type': 'text/plain' }).end(data);
    });
    expect(await read(clientOf(service))).toEqual(data);
  });

  test('answers before the final one are not looked at', async () => {
    await using service = await rawServer((socket) =>
      send(socket, `HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n${head('200 OK', announced)}`, data).end(),
    );
    expect(await read(clientOf(service))).toEqual(data);
  });
});

test('v1: by digest, verified like any other', async () => {
  await using service = await memoryService();
  service.blobs.set(`blobs/${digest}`, data);
  expect(await clientOf(service).getByDigest(wanted)).toEqual(data);
  expect(service.calls).toEqual(['GET /v1/blobs/get']);
  service.blobs.set(`blobs/${digest}`, flipped);
  expect(await failureOf(clientOf(service).getByDigest(wanted))).toBeInstanceOf(PayloadIntegrityError);
});

test('the request is what the wire API asks for', async () => {
  const requests: object[] = [];
  await using service = await httpServer(({ method, url, headers }, response) => {
    requests.push({ method, url, headers });
    response.end(data);
  });
  await clientOf(service).get(wanted);
  expect(requests).toMatchObject([
    {
      method: 'GET',
      url: `/v2/blobs/get?key=${encodeURIComponent(key)}`,
      headers: {
        'content-type': 'application/octet-stream',
        'x-payload-expected-content-length': '300000',
      },
    },
  ]);
});

test('a size from a hostile reference sets no memory aside', async () => {
  await using service = await rawServer((socket) => send(socket, chunked(data), '0\r\n\r\n').end());
  const before = process.memoryUsage().arrayBuffers;
  const failure = await failureOf(clientOf(service).get({ ...wanted, size: 2 ** 50 }));
  expect(failure).toBeInstanceOf(PayloadIntegrityError);
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(50_000_000);
});

test('a slow reader of a stream is not an idle connection', async () => {
  const large = new Uint8Array(20_000_000);
  const stored = { key, size: large.byteLength, digest: digestOf(large) };
  await using service = await memoryService();
  service.blobs.set(key, large);
  const stream = await new BlobClient({ url: service.url, idleTimeoutMs: 1_000 }).getStream(stored);
  await new Promise((resolve) => setTimeout(resolve, 3_000));
  expect((await buffer(stream)).byteLength).toBe(large.byteLength);
});

test('destroying a stream closes its connection', async () => {
  await using service = await rawServer((socket) =>
    send(socket.resume(), head('200 OK', announced), data.subarray(9)),
  );
  const stream = await new BlobClient({ url: service.url }).getStream(wanted);
  stream.destroy();
  const [socket] = service.connections;
  await within(HANGS_MS / 2, new Promise((resolve) => socket?.on('close', resolve)));
});

function send(socket: Socket, ...parts: Array<string | Uint8Array>): Socket {
  for (const part of parts) socket.write(part);
  return socket;
}
