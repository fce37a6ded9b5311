import { expect, test } from 'vitest';
import { BlobClient } from './blob-client.ts';
import { digestOf } from './digest.ts';
import { failureOf, within } from './testing/failures.ts';
import { head, httpServer, rawServer } from './testing/test-server.ts';

const wanted = { key: '/blobs/k', size: 0, digest: digestOf(new Uint8Array()) };

function failureFrom(service: { url: string }): Promise<unknown> {
  return failureOf(within(1_000, new BlobClient({ url: service.url, idleTimeoutMs: 200 }).get(wanted)));
}

test.each([
  [400, 'PayloadRejectedError', false],
  [401, 'PayloadRejectedError', false],
  [403, 'PayloadRejectedError', false],
  [404, 'PayloadNotFoundError', false],
  [408, 'PayloadStoreUnavailableError', true],
  [413, 'PayloadRejectedError', false],
  [429, 'PayloadStoreUnavailableError', true],
  [500, 'PayloadStoreUnavailableError', true],
  [503, 'PayloadStoreUnavailableError', true],
  [204, 'PayloadStoreUnavailableError', false],
  [206, 'PayloadStoreUnavailableError', false],
  [304, 'PayloadStoreUnavailableError', false],
])('%i is %s', async (status, name, retryable) => {
  await using service = await httpServer((_request, response) => {
    response.writeHead(status).end();
  });
  expect(await failureFrom(service)).toMatchObject({ name, retryable, status, key: '/blobs/k' });
});

test('a code of the service makes 502 an integrity error', async () => {
  await using service = await httpServer((_request, response) => {
    response.writeHead(502).end('{"error":{"code":"integrity","message":"stored bytes are corrupt"}}');
  });
  expect(await failureFrom(service)).toMatchObject({
    name: 'PayloadIntegrityError',
    message: 'blob service answered 502: integrity: stored bytes are corrupt',
    code: 'integrity',
    retryable: false,
  });
});

test.each([
  [404, 'unknown_route', 'PayloadRejectedError', false],
  [404, 'key_not_found', 'PayloadNotFoundError', false],
  [400, 'body_incomplete', 'PayloadStoreUnavailableError', true],
])('%i with the code %s is %s', async (status, code, name, retryable) => {
  await using service = await httpServer((_request, response) => {
    response.writeHead(status).end(JSON.stringify({ error: { code, message: 'in words' } }));
  });
  expect(await failureFrom(service)).toMatchObject({ name, code, retryable });
});

test('a 404 of a proxy, in HTML, says nothing about the payload', async () => {
  await using service = await httpServer((_request, response) => {
    response.writeHead(404, { 'Content-Type': 'text/html' }).end('<html>default backend</html>');
  });
  expect(await failureFrom(service)).toMatchObject({ name: 'PayloadStoreUnavailableError', retryable: true });
});

test('redirects are not followed', async () => {
  let requests = 0;
  await using service = await httpServer((_request, response) => {
    requests += 1;
    response.writeHead(302, { Location: '/elsewhere' }).end();
  });
  expect(await failureFrom(service)).toMatchObject({ name: 'PayloadStoreUnavailableError', status: 302 });
  expect(requests).toBe(1);
});

test.each([
  ['7', 7],
  ['0', 0],
  ['999999999999', 3600],
  [new Date(Date.now() - 60_000).toUTCString(), 0],
  ['soon', undefined],
  ['-1', undefined],
])('Retry-After: %s', async (header, seconds) => {
  await using service = await httpServer((_request, response) => {
    response.writeHead(503, { 'Retry-After': header }).end();
  });
  expect(await failureFrom(service)).toMatchObject({ retryAfterSeconds: seconds });
});

test.each([
  ['HTML', '<html><script>alert(1)</script></html>'],
  ['binary', Buffer.from([0xff, 0xfe, 0x00])],
  ['JSON null', 'null'],
  ['an array', '[]'],
  ['error as a string', '{"error":"no"}'],
  ['code and message of the wrong types', '{"error":{"code":{},"message":[]}}'],
  ['a code that is no code', '{"error":{"code":"Bad\\ncode"}}'],
  ['200 KiB', `{"error":{"message":"${'x'.repeat(200 * 1024)}"}}`],
])('a body that is not ours adds nothing: %s', async (_name, body) => {
  await using service = await httpServer((_request, response) => {
    response.writeHead(500).end(body);
  });
  expect(await failureFrom(service)).toMatchObject({
    message: 'blob service answered 500',
    code: undefined,
    status: 500,
  });
});

test('a message is cut and made one line', async () => {
  await using service = await httpServer((_request, response) => {
    const message = `first\r\nsecond\u001b[31m\u2028third ${'x'.repeat(1_000)}`;
    response.writeHead(500).end(JSON.stringify({ error: { message } }));
  });
  const { message } = (await failureFrom(service)) as Error;
  expect(message).toMatch(/^blob service answered 500: first second \[31m third x+$/);
  expect(message.length).toBeLessThan(350);
});

test.each([
  ['never ends', (): void => undefined],
  ['breaks off', (end: () => void): void => end()],
])('an error whose body %s is still that error', async (_name, after) => {
  await using service = await rawServer((socket) => {
    socket.write(`${head('503 Service Unavailable', { 'Content-Length': 100, 'Retry-After': 2 })}{"error"`);
    after(() => socket.end());
  });
  expect(await failureFrom(service)).toMatchObject({ status: 503, retryAfterSeconds: 2 });
});
