import { AsyncLocalStorage } from 'node:async_hooks';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { head, httpServer, rawServer } from '@largepayload/testing/servers/test-server';
import { memoryService } from '@largepayload/testing/service/memory-service';
import { eventually } from '@largepayload/testing/waiting/eventually';
import type { Payload } from '@temporalio/common';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { failureOf, within } from '../failures.fixture.ts';
import {
  PayloadIntegrityError,
  PayloadNotFoundError,
  PayloadReferenceError,
  PayloadRejectedError,
  PayloadStoreUnavailableError,
} from '../wire/errors.ts';
import { encodeReference } from '../wire/reference.ts';
import { activityFailureInterceptors } from './activity-execution.ts';
import { LargePayloadCodec } from './codec.ts';
import type { LargePayloadCodecOptions } from './settings.ts';

/** Far beyond what a busy machine needs, so that it only fails what hangs. */
const HANGS_MS = 20_000;
const once = { namespace: 'orders', thresholdBytes: 0, idleTimeoutMs: HANGS_MS, retryTimeoutMs: 0 };

function codecOf({ url }: { url: string }, options: LargePayloadCodecOptions = {}): LargePayloadCodec {
  return new LargePayloadCodec({ url, ...once, ...options });
}

function payloadOf(text: string): Payload {
  return { metadata: { encoding: Buffer.from('binary/plain') }, data: Buffer.from(text) };
}

/** A service that misbehaves a number of times, then is well. */
async function faultyService(
  times: number,
  fault: (response: ServerResponse, request: IncomingMessage) => void,
) {
  const well = await memoryService();
  let faults = 0;
  const server = await httpServer(async (request, response) => {
    if (faults < times) {
      faults += 1;
      fault(response, request);
      return;
    }
    const body = await request.toArray();
    const answer = await fetch(`${well.url}${request.url}`, {
      method: request.method ?? 'GET',
      headers: { 'X-Temporal-Metadata': String(request.headers['x-temporal-metadata'] ?? '') },
      ...(request.method === 'PUT' && { body: Buffer.concat(body) }),
    });
    response.writeHead(answer.status).end(Buffer.from(await answer.arrayBuffer()));
  });
  const end = server[Symbol.asyncDispose];
  return Object.assign(server, {
    faults: () => faults,
    async [Symbol.asyncDispose]() {
      await end();
      await well[Symbol.asyncDispose]();
    },
  });
}

const refusal =
  (status: number, code: string, headers = {}) =>
  (response: ServerResponse) =>
    response.writeHead(status, headers).end(JSON.stringify({ error: { code, message: 'in words' } }));

const passing: Array<[string, (response: ServerResponse, request: IncomingMessage) => void]> = [
  ['500', refusal(500, 'internal')],
  ['503', refusal(503, 'busy')],
  ['503 with Retry-After', refusal(503, 'draining', { 'Retry-After': '0' })],
  ['429', refusal(429, 'slow_down')],
  ['507', refusal(507, 'storage_full')],
  ['404 without a body', (response) => response.writeHead(404, { Server: 'istio-envoy' }).end()],
  ['404 in plain text', (response) => response.writeHead(404).end('404 page not found\n')],
  ['404 with a foreign code', refusal(404, 'no_such_upstream')],
  ['403 in HTML', (response) => response.writeHead(403).end('<html>Forbidden</html>')],
  ['413 in HTML', (response) => response.writeHead(413).end('<html>Request Entity Too Large</html>')],
  ['a redirect', (response) => response.writeHead(301, { Location: '/elsewhere' }).end()],
  ['a page in place of an answer', (response) => response.writeHead(200).end('<html>OK</html>')],
  ['HTML of a proxy', (response) => response.writeHead(502).end('<html>Bad gateway</html>')],
  ['a hang', () => undefined],
  ['a closed connection', (response) => response.destroy()],
  ['a reset', (response) => response.socket?.resetAndDestroy()],
  [
    'a reset in mid-body',
    (response) => {
      response.writeHead(200, { 'Content-Length': 1_000 });
      response.write('half', () => response.socket?.resetAndDestroy());
    },
  ],
];

describe.each(passing)('%s', (name, fault) => {
  // A call that a busy machine delays as much fails as if it did hang.
  const idleTimeoutMs = name === 'a hang' ? 150 : HANGS_MS;

  test('passes unnoticed when retried', async () => {
    await using service = await faultyService(2, fault);
    const codec = codecOf(service, { idleTimeoutMs, retryTimeoutMs: HANGS_MS });
    const encoded = await codec.encode([payloadOf('a')]);
    expect(service.faults()).toBe(2);
    expect(await codec.decode(encoded)).toMatchObject([{ data: new Uint8Array(Buffer.from('a')) }]);
  });

  test('that lasts fails the call with an error that says retrying later may help', async () => {
    await using service = await faultyService(Number.POSITIVE_INFINITY, fault);
    const failure = await failureOf(codecOf(service, { idleTimeoutMs }).encode([payloadOf('a')]));
    expect(failure).toBeInstanceOf(PayloadStoreUnavailableError);
    expect(failure).toMatchObject({ retryable: true });
  });
});

test.concurrent.each([
  ['seconds', '3600'],
  ['a date', new Date(Date.now() + 3_600_000).toUTCString()],
  ['garbage', 'soon'],
  ['less than nothing', '-5'],
  ['more than any number', '9'.repeat(400)],
])('an hour to wait, told by %s, does not end the patience', async (_name, retryAfter) => {
  const fault = refusal(503, 'busy', { 'Retry-After': retryAfter });
  await using service = await faultyService(1, fault);
  const retryTimeoutMs = 1_500;
  const codec = codecOf(service, { retryTimeoutMs });
  const encoded = await codec.encode([payloadOf('a')]);
  expect(await codec.decode(encoded)).toMatchObject([{ data: new Uint8Array(Buffer.from('a')) }]);
  await using sick = await faultyService(Number.POSITIVE_INFINITY, fault);
  const started = performance.now();
  await failureOf(codecOf(sick, { retryTimeoutMs }).decode(encoded));
  expect(performance.now() - started).toBeGreaterThan(retryTimeoutMs - 5);
});

const reference = encodeReference({
  version: 'v2',
  metadata: new Map(),
  size: 5,
  digest: `sha256:${'0'.repeat(64)}`,
  key: '/blobs/orders/common/x/y',
});

describe('what no retry heals is told at once', () => {
  test.each<[string, number, string, unknown]>([
    ['a payload that is gone', 404, 'key_not_found', PayloadNotFoundError],
    ['damage in the store', 502, 'integrity', PayloadIntegrityError],
    ['a refusal', 403, 'namespace_denied', PayloadRejectedError],
  ])('%s', async (_name, status, code, type) => {
    await using service = await faultyService(Number.POSITIVE_INFINITY, refusal(status, code));
    const codec = codecOf(service, { retryTimeoutMs: 60_000 });
    const failure = await failureOf(within(HANGS_MS, codec.decode([reference])));
    expect(failure).toBeInstanceOf(type);
    expect(failure).toMatchObject({ status, code, key: '/blobs/orders/common/x/y', retryable: false });
    expect(service.faults()).toBe(1);
  });

  test('wrong bytes of the right length', async () => {
    await using service = await rawServer((socket) =>
      socket.end(`${head('200 OK', { 'Content-Length': 5 })}wrong`),
    );
    const codec = codecOf(service, { retryTimeoutMs: 60_000 });
    const failure = await failureOf(within(HANGS_MS, codec.decode([reference])));
    expect(failure).toBeInstanceOf(PayloadIntegrityError);
  });

  test('garbage in place of HTTP is no blob service, today or later', async () => {
    await using service = await rawServer((socket) => socket.end('\u0000garbage\r\n\r\n'));
    expect(await failureOf(codecOf(service).decode([reference]))).toBeInstanceOf(
      PayloadStoreUnavailableError,
    );
  });

  test('a malformed reference among good ones, before anything is asked for', async () => {
    await using service = await memoryService();
    const codec = codecOf(service);
    const [good] = await codec.encode([payloadOf('a')]);
    const broken = { ...reference, data: Buffer.from('{') };
    const failure = await failureOf(codec.decode([good ?? {}, broken]));
    expect(failure).toBeInstanceOf(PayloadReferenceError);
    expect(service.calls).toEqual(['PUT /v2/blobs/put']);
  });
});

describe('one payload that fails', () => {
  test('fails the call, and its siblings are aborted', async () => {
    const open = new Set<IncomingMessage>();
    await using service = await httpServer((request, response) => {
      open.add(request);
      response.once('close', () => open.delete(request));
      if (request.headers['content-length'] === '3')
        setTimeout(() => refusal(413, 'payload_too_large')(response), 50);
    });
    const codec = codecOf(service);
    const failure = failureOf(codec.encode(['a', 'b', 'too', 'c'].map(payloadOf)));
    expect(await within(HANGS_MS, failure)).toMatchObject({ code: 'payload_too_large' });
    await eventually('all requests are closed', () => open.size === 0);
  });
});

describe.concurrent('inside an activity', () => {
  const storageSymbol = Symbol.for('__temporal_activity_context_storage__');
  const globals = globalThis as { [storageSymbol]?: AsyncLocalStorage<unknown> };
  const storage = new AsyncLocalStorage<unknown>();

  beforeAll(() => {
    globals[storageSymbol] = storage;
  });
  afterAll(() => {
    delete globals[storageSymbol];
  });

  test('retries go on until it is cancelled', async () => {
    await using service = await faultyService(Number.POSITIVE_INFINITY, refusal(503, 'busy'));
    const codec = new LargePayloadCodec({ url: service.url, namespace: 'orders', thresholdBytes: 0 });
    const cancelled = new AbortController();
    const context = { cancellationSignal: cancelled.signal };
    const failure = failureOf(storage.run(context, () => codec.encode([payloadOf('a')])));
    setTimeout(() => cancelled.abort(), 8_500);
    expect(
      await Promise.race([failure, new Promise((resolve) => setTimeout(resolve, 8_200, 'trying'))]),
    ).toBe('trying');
    expect(await within(HANGS_MS, failure)).toMatchObject({ code: 'busy' });
  });

  test('that failed, what cannot be stored is replaced by a note, so that its worker lives', async () => {
    await using service = await faultyService(Number.POSITIVE_INFINITY, refusal(413, 'payload_too_large'));
    const codec = codecOf(service);
    const context = { cancellationSignal: new AbortController().signal };
    const { execute } = activityFailureInterceptors(context).inbound;
    const encode = () => storage.run(context, () => codec.encode([payloadOf('details')]));
    expect(await execute('input', async (input) => `${input} passes`)).toBe('input passes');
    expect(await failureOf(encode())).toMatchObject({ code: 'payload_too_large' });
    const thrown = new Error('of the activity');
    expect(await failureOf(execute('input', () => Promise.reject(thrown)))).toBe(thrown);
    const [note] = await encode();
    expect(JSON.parse(Buffer.from(note?.data ?? []).toString())).toMatchObject({
      payloadNotStored: { name: 'PayloadRejectedError', size: 'details'.length },
    });
    expect(Buffer.from(note?.metadata?.encoding ?? []).toString()).toBe('json/plain');
  });

  test('input is read as patiently as in a workflow task', async () => {
    await using service = await faultyService(Number.POSITIVE_INFINITY, refusal(503, 'busy'));
    const codec = new LargePayloadCodec({ url: service.url });
    const context = { cancellationSignal: new AbortController().signal };
    const decoding = storage.run(context, () => codec.decode([reference]));
    expect(await within(9_800, failureOf(decoding))).toMatchObject({ code: 'busy' });
  });

  test.each([
    ['one that is cancelled already', { cancellationSignal: AbortSignal.abort() }],
    ['a context of another shape', { signal: 'none' }],
  ])('in %s, retries go on for a while', async (_case, context) => {
    await using service = await faultyService(2, refusal(503, 'busy'));
    const codec = new LargePayloadCodec({ url: service.url, namespace: 'orders', thresholdBytes: 0 });
    await storage.run(context, () => codec.encode([payloadOf('a')]));
    expect(service.faults()).toBe(2);
  });

  test('outside of one, not as long as a workflow task lasts', async () => {
    await using service = await faultyService(Number.POSITIVE_INFINITY, refusal(503, 'busy'));
    const codec = new LargePayloadCodec({ url: service.url, namespace: 'orders', thresholdBytes: 0 });
    expect(await within(9_800, failureOf(codec.encode([payloadOf('a')])))).toMatchObject({ code: 'busy' });
  });
});
