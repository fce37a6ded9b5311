import { head, httpServer, rawServer } from '@largepayload/testing/servers/test-server';
import { describe, expect, test } from 'vitest';
import { failureOf, within } from '../failures.fixture.ts';
import { digestOf } from '../wire/digest.ts';
import { errorTable } from '../wire/error-table.ts';
import { BlobClient } from './blob-client.ts';

const wanted = { key: '/blobs/k', size: 0, digest: digestOf(new Uint8Array()) };

function failureFrom(service: { url: string }): Promise<unknown> {
  return failureOf(within(20_000, new BlobClient({ url: service.url, idleTimeoutMs: 10_000 }).get(wanted)));
}

test.each([
  204, 206, 301, 302, 304, 400, 401, 403, 404, 405, 407, 408, 410, 413, 418, 429, 431, 500, 502, 503, 504,
])('%i without a word of the service says nothing', async (status) => {
  await using service = await httpServer((_request, response) => {
    response.writeHead(status).end();
  });
  expect(await failureFrom(service)).toMatchObject({
    name: 'PayloadStoreUnavailableError',
    retryable: true,
    status,
    code: undefined,
    key: '/blobs/k',
  });
});

test.each(Object.entries(errorTable))('%s is understood with its status only', async (code, kind) => {
  let status: number = kind.status;
  await using service = await httpServer((_request, response) => {
    response.writeHead(status).end(JSON.stringify({ error: { code, message: 'in words' } }));
  });
  const final =
    code === 'integrity'
      ? 'PayloadIntegrityError'
      : code === 'key_not_found'
        ? 'PayloadNotFoundError'
        : 'PayloadRejectedError';
  expect(await failureFrom(service)).toMatchObject({
    name: kind.retryable ? 'PayloadStoreUnavailableError' : final,
    code,
    status,
    retryable: kind.retryable,
  });
  status = 451;
  expect(await failureFrom(service)).toMatchObject({ name: 'PayloadStoreUnavailableError', retryable: true });
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

test.each<[string, number, Record<string, string>, string | Buffer]>([
  ["Envoy's empty one", 404, { Server: 'istio-envoy', 'Content-Length': '0' }, ''],
  ["Traefik's", 404, { 'Content-Type': 'text/plain; charset=utf-8' }, '404 page not found\n'],
  ["nginx's", 404, { 'Content-Type': 'text/html', Server: 'nginx' }, '<html>404 Not Found</html>'],
  ['JSON of an API', 404, {}, '{"error":{"code":"no_such_upstream","message":"route not found"}}'],
  ['JSON with our code', 404, {}, '{"code":"key_not_found","message":"not found"}'],
  ["DataDog's text", 404, { 'Content-Type': 'text/plain; charset=utf-8' }, 'blob not found: /blobs/k'],
  ['our code with another status', 410, {}, '{"error":{"code":"key_not_found","message":"gone"}}'],
  ['a page of 100 KiB', 404, {}, `{"error":{"code":"key_not_found"}}${' '.repeat(100 * 1024)}`],
])('a 404 that is not ours says nothing about the payload: %s', async (_name, status, headers, body) => {
  await using service = await httpServer((_request, response) => {
    response.writeHead(status, headers).end(body);
  });
  expect(await failureFrom(service)).toMatchObject({ name: 'PayloadStoreUnavailableError', retryable: true });
});

describe('by the option, plain text', () => {
  const failureOfText = async (text: string, type = 'text/plain; charset=utf-8', status = 404) => {
    await using service = await httpServer((_request, response) => {
      response.writeHead(status, { 'Content-Type': type }).end(text);
    });
    const client = new BlobClient({ url: service.url, acceptPlainTextErrors: true });
    return await failureOf(within(20_000, client.get(wanted)));
  };

  test("of DataDog's service says that there is no such payload", async () => {
    expect(await failureOfText('blob not found: /blobs/k')).toMatchObject({
      name: 'PayloadNotFoundError',
      status: 404,
      retryable: false,
    });
  });

  test.each<[string, string, string?, number?]>([
    ['of a router', '404 page not found\n'],
    ['of nobody', ''],
    ['in a page', 'blob not found', 'text/html'],
    ['with another status', 'blob not found: /blobs/k', 'text/plain', 400],
  ])('%s does not', async (_name, text, type, status) => {
    expect(await failureOfText(text, type, status)).toMatchObject({
      name: 'PayloadStoreUnavailableError',
      retryable: true,
    });
  });
});

describe('the message says', () => {
  const messageOf = async (status: number, headers: Record<string, string> = {}) => {
    await using service = await httpServer((_request, response) => {
      response.writeHead(status, headers).end();
    });
    return ((await failureFrom(service)) as Error).message;
  };

  test('who seems to have answered', async () => {
    const headers = { Server: 'istio-envoy', Via: '1.1 edge', 'Content-Type': 'text/html' };
    expect(await messageOf(404, headers)).toBe(
      'unexpected answer (status 404, server: istio-envoy, via: 1.1 edge, content-type: text/html): it seems to come ' +
        'from a proxy, not from the blob service; check the URL and the routes of the proxy; whether the payload exists is ' +
        'not known',
    );
    expect(await messageOf(404)).toContain('(status 404, no server, via or content-type)');
  });

  test('no more of it than fits into a line', async () => {
    const message = await messageOf(404, { Server: `a\u0085b${'x'.repeat(500)}` });
    expect(message).toMatch(/server: a bx{57}\):/);
  });

  test.each([
    [413, /raise the proxy's limit for request bodies/],
    [431, /raise the proxy's limit for request headers/],
    [403, /let the proxy pass the request/],
    [301, /redirects are not followed/],
    [502, /whether the blob service runs/],
    [400, /is the URL that of a blob service/],
  ])('for %i what to check', async (status, hint) => {
    expect(await messageOf(status)).toMatch(hint);
  });
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
  const failure = await failureFrom(service);
  expect(failure).toMatchObject({ code: undefined, status: 500 });
  expect((failure as Error).message).toMatch(
    /^unexpected answer \(status 500, no server, via or content-type\): it seems to come from a proxy/,
  );
});

test('a message is cut and made one line', async () => {
  await using service = await httpServer((_request, response) => {
    const message = `first\r\nsecond\u001b[31m\u2028third ${'x'.repeat(1_000)}`;
    response.writeHead(500).end(JSON.stringify({ error: { code: 'internal', message } }));
  });
  const { message } = (await failureFrom(service)) as Error;
  expect(message).toMatch(/^blob service answered 500: internal: first second \[31m third x+$/);
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
