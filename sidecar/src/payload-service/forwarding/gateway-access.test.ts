import type { RequestListener } from 'node:http';
import { createServer } from 'node:net';
import { rawServer } from '@largepayload/testing/servers/test-server';
import { call, expectError } from '@largepayload/testing/service/http-call';
import { generatedBytes, testPayload } from '@largepayload/testing/service/payload';
import { type TestCertificate, testAuthority } from '@largepayload/testing/tls/test-authority';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { keyFor, sidecarBefore } from './sidecar.fixture.ts';
import { filesOfTest, type TlsGateway, tlsGateway } from './tls-gateway.fixture.ts';

const PAYLOAD = testPayload('some bytes');
const STREAMED = testPayload(generatedBytes(9_000_000));
const HOUR = 60 * 60 * 1_000;
const authority = testAuthority('one');
const other = testAuthority('two');

const stores: RequestListener = (request, response) => {
  if (request.headers.expect !== undefined) response.writeContinue();
  const payload = request.headers['content-length'] === String(PAYLOAD.bytes.length) ? PAYLOAD : STREAMED;
  request.resume().once('end', () => response.writeHead(201).end(JSON.stringify({ Key: keyFor(payload) })));
};

/** Takes this token only. */
const takes =
  (token: () => string, code = 'token_refused'): RequestListener =>
  (request, response) => {
    if (request.headers.authorization === `Bearer ${token()}`) return stores(request, response);
    request.resume();
    const error = { code, message: 'the token has expired (exp)' };
    response.writeHead(503, { 'Retry-After': '1' }).end(JSON.stringify({ error }));
  };

async function accessFiles(token?: string) {
  const files = await filesOfTest();
  const caFile = await files.write('ca.crt', authority.certificate);
  if (token !== undefined) await files.write('token', token);
  return { files, options: { caFile, tokenFile: files.path('token') } };
}

describe('a gateway that cannot be trusted gets no request, and the worker a 503 that says why', () => {
  const untrusted = async (gateway: Pick<TlsGateway, 'url'>, text: RegExp) => {
    const { options } = await accessFiles('token');
    const sidecar = await sidecarBefore(gateway.url, options);
    const answers = [await sidecar.put(PAYLOAD), await sidecar.get(keyFor(PAYLOAD), PAYLOAD)];
    for (const answer of answers) {
      expectError(answer, 'gateway_untrusted');
      expect(answer.body.toString()).toMatch(text);
    }
  };

  test.each<[string, TestCertificate, RegExp]>([
    ['another authority', other.issue(), /no authority of the CA file vouches/],
    ['other names', authority.issue(['other.orders.svc', '127.0.0.1']), /is for other names/],
    [
      'a time that is over',
      authority.issue(undefined, { notAfter: Date.now() - HOUR }),
      /has expired; renew it/,
    ],
    [
      'a time to come',
      authority.issue(undefined, { notBefore: Date.now() + HOUR }),
      /not valid yet; set this/,
    ],
  ])('when its certificate is of %s', async (_what, certificate, text) => {
    const gateway = await tlsGateway(certificate, stores);
    await untrusted(gateway, text);
    expect(gateway.tokens).toEqual([]);
  });

  test('when it does not speak TLS 1.3', async () => {
    const gateway = await tlsGateway(authority.issue(), stores, { maxVersion: 'TLSv1.2' });
    await untrusted(gateway, /does not speak TLS 1\.3/);
    expect(gateway.tokens).toEqual([]);
  });

  test('when it speaks plain HTTP', async () => {
    const gateway = await rawServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n'));
    onTestFinished(() => gateway[Symbol.asyncDispose]());
    await untrusted({ url: gateway.url.replace('http:', 'https:') }, /does not speak TLS;/);
  });

  test('even if NODE_TLS_REJECT_UNAUTHORIZED forbids verification', async () => {
    process.env.NODE_TLS_REJECT_UNAUTHORIZED = '0';
    onTestFinished(() => void delete process.env.NODE_TLS_REJECT_UNAUTHORIZED);
    await untrusted(await tlsGateway(other.issue(), stores), /no authority of the CA file vouches/);
  });
});

test('a gateway gets the token with each request, over TLS 1.3, and none with a question for its health', async () => {
  const gateway = await tlsGateway(authority.issue(), stores);
  const { options } = await accessFiles('a.b.c');
  const sidecar = await sidecarBefore(gateway.url, options);
  expect((await sidecar.put(PAYLOAD)).status).toBe(201);
  expect((await sidecar.put(STREAMED)).status).toBe(201);
  await sidecar.get(keyFor(PAYLOAD), PAYLOAD);
  expect(gateway.tokens).toEqual(['Bearer a.b.c', 'Bearer a.b.c', 'Bearer a.b.c']);
  expect(gateway.protocols).toEqual(['TLSv1.3', 'TLSv1.3', 'TLSv1.3']);
  await call(sidecar.data, '/v2/health/head', { method: 'HEAD' });
  expect(gateway.tokens.at(-1)).toBeUndefined();
});

test('without TLS no token is sent', async () => {
  const heads: string[] = [];
  const gateway = await rawServer((socket) => {
    heads.push(String(socket.read()));
    socket.end();
  });
  onTestFinished(() => gateway[Symbol.asyncDispose]());
  const { options } = await accessFiles('a.b.c');
  const sidecar = await sidecarBefore(gateway.url, options);
  expectError(await sidecar.put(PAYLOAD), 'gateway_unreachable');
  expect(gateway.connections.length).toBeGreaterThan(0);
  expect(heads.join('')).not.toContain('a.b.c');
});

test('a proxy of the environment gets no request', async () => {
  let asked = 0;
  const proxy = createServer((socket) => {
    asked += 1;
    socket.destroy();
  }).listen(0, '127.0.0.1');
  onTestFinished(() => void proxy.close());
  await new Promise((resolve) => proxy.once('listening', resolve));
  const { port } = proxy.address() as { port: number };
  for (const name of ['HTTP_PROXY', 'HTTPS_PROXY']) {
    process.env[name] = `http://127.0.0.1:${port}`;
    onTestFinished(() => void delete process.env[name]);
  }
  const gateway = await tlsGateway(authority.issue(), stores);
  const { options } = await accessFiles('a.b.c');
  expect((await (await sidecarBefore(gateway.url, options)).put(PAYLOAD)).status).toBe(201);
  expect(asked).toBe(0);
});

describe('a token that the gateway refuses', () => {
  test.each<[string, string, typeof PAYLOAD]>([
    ['refused', 'token_refused', PAYLOAD],
    ['refused before a large body was sent', 'token_refused', STREAMED],
    ['missing', 'token_missing', PAYLOAD],
  ])('as %s is read again, and the request made with the newer one', async (_what, code, payload) => {
    let token = 'old';
    const gateway = await tlsGateway(
      authority.issue(),
      takes(() => token, code),
    );
    const { files, options } = await accessFiles('old');
    const sidecar = await sidecarBefore(gateway.url, options);
    expect((await sidecar.put(PAYLOAD)).status).toBe(201);
    token = 'new';
    await files.write('token', 'new');
    expect((await sidecar.put(payload)).status).toBe(201);
    expect(gateway.tokens).toEqual(['Bearer old', 'Bearer old', 'Bearer new']);
  });

  test('and that has not changed is refused with the message of the gateway', async () => {
    const gateway = await tlsGateway(
      authority.issue(),
      takes(() => 'new'),
    );
    const { options } = await accessFiles('old');
    const sidecar = await sidecarBefore(gateway.url, options);
    const answer = await sidecar.put(PAYLOAD);
    expectError(answer, 'token_refused');
    expect(answer.body.toString()).toContain('the token has expired (exp)');
    expect(gateway.tokens).toHaveLength(1);
  });
});

test('without a token or authorities the worker gets a 503, until they are there', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const gateway = await tlsGateway(authority.issue(), stores);
  const files = await filesOfTest();
  const options = { caFile: files.path('ca.crt'), tokenFile: files.path('token') };
  const sidecar = await sidecarBefore(gateway.url, options);
  expectError(await sidecar.put(PAYLOAD), 'token_unreadable');
  await files.write('token', 'a.b.c');
  vi.advanceTimersByTime(1_000);
  expectError(await sidecar.put(PAYLOAD), 'ca_unreadable');
  expect((await call(sidecar.metrics, '/readyz')).body.toString()).toContain('ca_unreadable');
  expect(gateway.tokens).toEqual([]);
  await files.write('ca.crt', authority.certificate);
  vi.advanceTimersByTime(1_000);
  expect((await sidecar.put(PAYLOAD)).status).toBe(201);
});

test('authorities that are exchanged while requests pass fail none of them', async () => {
  const gateway = await tlsGateway(authority.issue(), stores);
  const { files, options } = await accessFiles('a.b.c');
  // Each request needs a connection of its own.
  const sidecar = await sidecarBefore(gateway.url, { ...options, limits: { kept: 0 } });
  const statuses: number[] = [];
  let isOver = false;
  const load = async () => {
    while (!isOver) statuses.push((await sidecar.put(PAYLOAD)).status);
  };
  const passed = async (count: number) => {
    const end = statuses.length + count;
    while (statuses.length < end) await new Promise((resolve) => setTimeout(resolve, 5));
  };
  const loads = [load(), load(), load()];
  await passed(5);
  await files.write('ca.crt', `${authority.certificate}${other.certificate}`);
  gateway.use(other.issue());
  await passed(10);
  await files.write('ca.crt', other.certificate);
  await passed(5);
  isOver = true;
  await Promise.all(loads);
  expect(new Set(statuses)).toEqual(new Set([201]));
});

test('a gateway is not trusted by an earlier session once its authority is taken out', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const gateway = await tlsGateway(authority.issue(), stores, { ticketKeys: Buffer.alloc(48, 1) });
  const { files, options } = await accessFiles('a.b.c');
  const sidecar = await sidecarBefore(gateway.url, { ...options, limits: { kept: 0 } });
  for (const _ of [1, 2]) expect((await sidecar.put(PAYLOAD)).status).toBe(201);
  await files.write('ca.crt', other.certificate);
  vi.advanceTimersByTime(1_000);
  expectError(await sidecar.put(PAYLOAD), 'gateway_untrusted');
});
