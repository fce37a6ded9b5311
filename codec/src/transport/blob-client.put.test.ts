import type { Socket } from 'node:net';
import { PassThrough, Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { head, httpServer, rawServer } from '@largepayload/testing/servers/test-server';
import { memoryService } from '@largepayload/testing/service/memory-service';
import { expect, test } from 'vitest';
import { failureOf, within } from '../failures.fixture.ts';
import { digestOf } from '../wire/digest.ts';
import {
  PayloadIntegrityError,
  PayloadMetadataError,
  PayloadRejectedError,
  PayloadStoreUnavailableError,
} from '../wire/errors.ts';
import { metadataHash } from '../wire/metadata.ts';
import { BlobClient } from './blob-client.ts';
import type { RequestBody } from './request-body.ts';

const metadata = new Map([['encoding', new Uint8Array(Buffer.from('binary/plain'))]]);
const fiftyMegabytes = new Uint8Array(50_000_000);
const fiftyMegabyteDigest = digestOf(fiftyMegabytes);
const refusal = '{"error":{"code":"payload_too_large","message":"over the limit"}}';

function putOf(data: Uint8Array, body: RequestBody = data, digest = digestOf(data)) {
  return { namespace: 'orders', digest, size: data.byteLength, metadata, body };
}

function keyOf(data: Uint8Array): string {
  return `/blobs/orders/common/${digestOf(data)}/${metadataHash(metadata)}`;
}

test('bytes and streams are stored, created once, over one connection', async () => {
  await using service = await memoryService();
  const client = new BlobClient({ url: service.url });
  const data = new Uint8Array(1_000_000).fill(7);
  expect(await client.put(putOf(data))).toEqual({ key: keyOf(data), created: true });
  const stream = () =>
    Readable.from([data.subarray(0, 1), data.subarray(1, 600_000), data.subarray(600_000)]);
  expect(await client.put(putOf(data, stream))).toEqual({ key: keyOf(data), created: false });
  expect(await client.put(putOf(new Uint8Array()))).toMatchObject({ created: true });
  expect(service.blobs.get(keyOf(data))).toEqual(Buffer.from(data));
  expect(service.connections).toHaveLength(1);
});

test.each([
  [
    '257 entries',
    new Map(Array.from({ length: 257 }, (_, at) => [`k${at}`, new Uint8Array()])),
    /at most 256/,
  ],
  [
    'a key prefix of 17 segments',
    new Map([['remote-codec/key-prefix', Buffer.from(Array(17).fill('a').join('/'))]]),
    /the 16 segments/,
  ],
])('metadata with %s is refused before anything is sent', async (_name, tooMuch, words) => {
  await using service = await memoryService();
  const put = new BlobClient({ url: service.url }).put({ ...putOf(Buffer.from('abc')), metadata: tooMuch });
  const failure = await failureOf(put);
  expect(failure).toBeInstanceOf(PayloadMetadataError);
  expect((failure as Error).message).toMatch(words);
  expect(service.connections).toHaveLength(0);
});

test('the request is what the wire API asks for, below the path of the base URL', async () => {
  const requests: object[] = [];
  const data = Buffer.from('abc');
  await using service = await httpServer(async (request, response) => {
    const { method, url, headers } = request;
    requests.push({ method, url, headers, body: await buffer(request) });
    response.end(JSON.stringify({ key: keyOf(data) }));
  });
  await new BlobClient({ url: `${service.url}/store/` }).put(putOf(data));
  expect(requests).toMatchObject([
    {
      method: 'PUT',
      url: `/store/v2/blobs/put?digest=${encodeURIComponent(digestOf(data))}&namespace=orders`,
      headers: {
        'content-type': 'application/octet-stream',
        'content-length': '3',
        'x-temporal-metadata': Buffer.from('{"encoding":"YmluYXJ5L3BsYWlu"}').toString('base64'),
      },
      body: data,
    },
  ]);
});

test.each([
  ['a key of other data', keyOf(Buffer.from('other'))],
  [
    'a key of other metadata',
    `/blobs/orders/common/${digestOf(Buffer.from('abc'))}/${metadataHash(new Map())}`,
  ],
  ['a key without its slash', keyOf(Buffer.from('abc')).slice(1)],
])('an answer with %s is an integrity error', async (_name, key) => {
  await using service = await httpServer((request, response) => {
    request.resume().on('end', () => response.writeHead(201).end(JSON.stringify({ Key: key })));
  });
  const failure = await failureOf(new BlobClient({ url: service.url }).put(putOf(Buffer.from('abc'))));
  expect(failure).toBeInstanceOf(PayloadIntegrityError);
});

test.each([
  ['no JSON', '<html>OK</html>'],
  ['no key', '{}'],
  ['a key that is no string', '{"Key":1}'],
  ['a key of something else', '{"key":"abc"}'],
  ['nothing', ''],
  ['more than 64 KiB', JSON.stringify({ Key: keyOf(Buffer.from('abc')), padding: 'x'.repeat(70_000) })],
])('success with %s is not taken for success', async (_name, body) => {
  await using service = await httpServer((request, response) => {
    request.resume().on('end', () => response.writeHead(201).end(body));
  });
  const failure = await failureOf(new BlobClient({ url: service.url }).put(putOf(Buffer.from('abc'))));
  expect(failure).toBeInstanceOf(PayloadStoreUnavailableError);
  expect(failure).toMatchObject({ retryable: true, status: 201 });
  expect((failure as Error).message).toContain('status 201, no server, via or content-type');
});

test('success before the whole body was sent is not taken for success', async () => {
  await using service = await rawServer((socket) => {
    const answer = JSON.stringify({ Key: keyOf(fiftyMegabytes) });
    socket.end(head('201 Created', { 'Content-Length': answer.length }) + answer);
  });
  const put = new BlobClient({ url: service.url }).put(putOf(fiftyMegabytes));
  expect(await failureOf(put)).toBeInstanceOf(PayloadStoreUnavailableError);
});

const refusers: Array<[string, (socket: Socket, answer: string) => void]> = [
  ['and closes', (socket, answer) => socket.end(answer)],
  ['and resets', (socket, answer) => socket.write(answer, () => socket.destroy())],
  ['and resets outright', (socket, answer) => socket.write(answer, () => socket.resetAndDestroy())],
  ['and reads on', (socket, answer) => socket.resume().write(answer)],
];

test.each(refusers)('a server that refuses in mid-upload %s is heard', async (_name, refuse) => {
  const answer = head('413 Payload Too Large', { 'Content-Length': refusal.length }) + refusal;
  await using service = await rawServer((socket) => refuse(socket, answer));
  const client = new BlobClient({ url: service.url });
  const source = Readable.from(slices(fiftyMegabytes));
  for (const body of [fiftyMegabytes, () => source]) {
    const failure = await failureOf(
      within(20_000, client.put(putOf(fiftyMegabytes, body, fiftyMegabyteDigest))),
    );
    expect(failure).toBeInstanceOf(PayloadRejectedError);
    expect(failure).toMatchObject({ status: 413, code: 'payload_too_large', retryable: false });
  }
  expect(source.destroyed).toBe(true);
});

test('a refusal frees a source that has nothing to read, and the unfinished connection', async () => {
  await using service = await httpServer((_request, response) => {
    response.writeHead(403).end('{"error":{"code":"namespace_denied","message":"not yours"}}');
  });
  const source = new PassThrough();
  source.write('a');
  const failure = await failureOf(
    within(20_000, new BlobClient({ url: service.url }).put(putOf(Buffer.from('abc'), () => source))),
  );
  expect(failure).toMatchObject({ name: 'PayloadRejectedError', status: 403 });
  expect(source.destroyed).toBe(true);
  await within(20_000, closed(service.connections));
});

test.each([
  ['of the service is a refusal', '{"error":{"code":"unknown_route","message":"no such path"}}', false],
  [
    'of the service about a payload is one, too',
    '{"error":{"code":"key_not_found","message":"none"}}',
    false,
  ],
  ['of a proxy is not', '<html>nginx</html>', true],
])('404 to a put %s', async (_name, body, retryable) => {
  await using service = await httpServer((_request, response) => {
    response.writeHead(404).end(body);
  });
  const failure = await failureOf(new BlobClient({ url: service.url }).put(putOf(Buffer.from('abc'))));
  const name = retryable ? 'PayloadStoreUnavailableError' : 'PayloadRejectedError';
  expect(failure).toMatchObject({ name, status: 404, retryable });
});

test('storage that is long busy with a large payload is waited for', async () => {
  await using service = await httpServer((request, response) => {
    request.resume().on('end', () => {
      setTimeout(() => response.end(JSON.stringify({ Key: keyOf(fiftyMegabytes) })), 2_500);
    });
  });
  const client = new BlobClient({ url: service.url, idleTimeoutMs: 1_000 });
  const put = putOf(fiftyMegabytes, fiftyMegabytes, fiftyMegabyteDigest);
  expect(await within(20_000, client.put(put))).toEqual({ key: keyOf(fiftyMegabytes), created: false });
  expect(await failureOf(client.put(putOf(Buffer.from('small'))))).toBeInstanceOf(
    PayloadStoreUnavailableError,
  );
});

test('a server that stops reading in mid-upload runs into the idle timeout', async () => {
  await using service = await rawServer(() => undefined);
  const client = new BlobClient({ url: service.url, idleTimeoutMs: 150 });
  const failure = await failureOf(
    within(20_000, client.put(putOf(fiftyMegabytes, fiftyMegabytes, fiftyMegabyteDigest))),
  );
  expect(failure).toBeInstanceOf(PayloadStoreUnavailableError);
  expect(failure).toMatchObject({ message: 'no progress for 150 ms', retryable: true });
});

test('an abort in mid-upload rejects with its reason and frees everything', async () => {
  await using service = await rawServer(() => undefined);
  const source = new PassThrough();
  const abort = new AbortController();
  const put = new BlobClient({ url: service.url }).put({
    ...putOf(fiftyMegabytes, () => source, fiftyMegabyteDigest),
    signal: abort.signal,
  });
  source.write('a');
  setTimeout(() => abort.abort(new Error('shutting down')), 30);
  expect(await failureOf(within(20_000, put))).toBe(abort.signal.reason);
  expect(source.destroyed).toBe(true);
  await within(20_000, closed(service.connections));
});

test('a source that fails is the failure, unchanged', async () => {
  await using service = await memoryService();
  const broken = new Error('disk on fire');
  const source = () =>
    Readable.from(
      (async function* () {
        yield Buffer.from('a');
        throw broken;
      })(),
    );
  const put = new BlobClient({ url: service.url }).put(putOf(Buffer.from('abc'), source));
  expect(await failureOf(within(20_000, put))).toBe(broken);
  await within(20_000, closed(service.connections));
});

test.each([
  ['shorter', 'ab'],
  ['longer', 'abcd'],
])('a body %s than announced is an error, not another payload', async (_name, text) => {
  await using service = await memoryService();
  const client = new BlobClient({ url: service.url });
  for (const body of [Buffer.from(text), () => Readable.from([Buffer.from(text)])]) {
    expect(await failureOf(within(20_000, client.put(putOf(Buffer.from('abc'), body))))).toBeInstanceOf(
      TypeError,
    );
  }
  expect(service.blobs.size).toBe(0);
});

test.each([
  ['digest', { digest: 'sha256:00' }],
  ['size', { size: -1 }],
])('an impossible %s is refused before anything is sent', async (_name, wrong) => {
  const client = new BlobClient({ url: 'http://127.0.0.1:9' });
  expect(await failureOf(client.put({ ...putOf(Buffer.from('abc')), ...wrong }))).toBeInstanceOf(TypeError);
});

function* slices(bytes: Uint8Array): Generator<Uint8Array> {
  for (let start = 0; start < bytes.byteLength; start += 65_536) yield bytes.subarray(start, start + 65_536);
}

async function closed(connections: readonly Socket[]): Promise<void> {
  for (const socket of connections) {
    if (!socket.closed) await new Promise((resolve) => socket.resume().on('close', resolve));
  }
}
