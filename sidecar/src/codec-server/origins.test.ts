import { call, expectError } from '@largepayload/testing/service/http-call';
import { filesIn, startService, type TestService } from '@largepayload/testing/service/running-service';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  JSON_HEADERS,
  payload,
  payloadsOf,
  post,
  startCodec,
  stored,
  type TestCodecServer,
} from './codec-server.fixture.ts';
import { parseOrigins } from './origins.ts';

const WEB_UI = 'http://127.0.0.1:8233';
const CLOUD = 'https://temporal.example';

const PREFLIGHT = {
  'Access-Control-Request-Method': 'POST',
  'Access-Control-Request-Headers': 'content-type,x-namespace',
};

let service: TestService;
let codec: TestCodecServer;
beforeAll(async () => {
  service = await startService();
  codec = await startCodec(service.data, { origins: [WEB_UI, CLOUD] });
});
afterAll(async () => {
  await codec.stop();
  await service[Symbol.asyncDispose]();
});

const corsHeaders = (headers: object) =>
  Object.fromEntries(Object.entries(headers).filter(([name]) => name.startsWith('access-control-')));

describe('a web page that is not allowed', () => {
  const foreign = [
    'http://evil.example',
    'null',
    '',
    'http://127.0.0.1:8234',
    'https://127.0.0.1:8233',
    'http://localhost:8233',
    'http://127.0.0.1:8233.evil.example',
    'https://temporal.example.evil.example',
    'https://temporal.example/',
    'HTTPS://TEMPORAL.EXAMPLE',
    `${WEB_UI}, ${CLOUD}`,
    '*',
    'file://',
  ];

  test.each(foreign)('%j is refused, and nothing is done for it', async (origin) => {
    const reference = await stored(service.data, 'not for everybody');
    const large = payload('x'.repeat(200_000));
    const before = await filesIn(service.folder);
    for (const [path, payloads] of [
      ['/decode', [reference]],
      ['/encode', [large]],
      ['/orders/encode', [large]],
      ['/elsewhere', [large]],
    ] as const) {
      const answer = await post(codec, path, payloads, { Origin: origin, 'X-Namespace': 'orders' });
      expectError(answer, 'origin_refused');
      expect(corsHeaders(answer.headers)).toEqual({});
      expect(answer.headers.vary).toBe('Origin');
    }
    expect(await filesIn(service.folder)).toEqual(before);
  });

  test.each(foreign)('%j gets no preflight', async (origin) => {
    const headers = { ...PREFLIGHT, 'Access-Control-Request-Private-Network': 'true', Origin: origin };
    const answer = await call(codec.address, '/decode', { method: 'OPTIONS', headers });
    expectError(answer, 'origin_refused');
    expect(corsHeaders(answer.headers)).toEqual({});
  });

  test('is refused too when it sends what needs no preflight', async () => {
    const body = JSON.stringify({ payloads: [payload('x'.repeat(200_000))] });
    for (const headers of [
      { Origin: 'http://evil.example', 'Content-Type': 'text/plain' },
      { Origin: 'http://evil.example:8888', Host: 'evil.example:8888', ...JSON_HEADERS },
    ]) {
      expectError(await call(codec.address, '/encode', { method: 'POST', headers, body }), 'origin_refused');
    }
    // Forms and images of older browsers say nothing of their origin.
    const silent = { method: 'POST', headers: { 'Content-Type': 'text/plain' }, body };
    expectError(await call(codec.address, '/encode', silent), 'unsupported_media_type');
    expectError(await call(codec.address, '/decode'), 'method_not_allowed');
  });

  test('is told in the log once, and many of them do not fill it', async () => {
    await using own = await startCodec(service.data);
    for (let count = 0; count < 50; count += 1) {
      for (const origin of [WEB_UI, `http://evil-${count}.example`]) {
        expectError(await post(own, '/decode', [], { Origin: origin }), 'origin_refused');
      }
    }
    const refused = own.log.filter(({ msg }) => String(msg).startsWith('refused a web page'));
    expect(refused).toHaveLength(20);
    expect(refused.filter(({ origin }) => origin === WEB_UI)).toHaveLength(1);
  });
});

describe('an allowed web page', () => {
  test.each([WEB_UI, CLOUD])('at %s is told what it may send', async (origin) => {
    for (const path of ['/decode', '/encode', '/orders/decode']) {
      const headers = { ...PREFLIGHT, Origin: origin };
      const answer = await call(codec.address, path, { method: 'OPTIONS', headers });
      expect(answer).toMatchObject({ status: 204, headers: { vary: 'Origin' } });
      expect(corsHeaders(answer.headers)).toEqual({
        'access-control-allow-origin': origin,
        'access-control-allow-credentials': 'true',
        'access-control-allow-methods': 'POST',
        'access-control-allow-headers': 'content-type, x-namespace, authorization, authorization-extras',
        'access-control-max-age': '600',
      });
    }
  });

  test('from a public address may come to a private one', async () => {
    const headers = { ...PREFLIGHT, Origin: CLOUD, 'Access-Control-Request-Private-Network': 'true' };
    const answer = await call(codec.address, '/decode', { method: 'OPTIONS', headers });
    expect(answer.headers).toMatchObject({ 'access-control-allow-private-network': 'true' });
  });

  test('is served, and can read refusals', async () => {
    const reference = await stored(service.data, 'shown');
    const answer = await post(codec, '/decode', [reference], { Origin: WEB_UI, 'X-Namespace': 'orders' });
    expect(payloadsOf(answer)).toEqual([payload('shown')]);
    const refused = await post(codec, '/encode', [payload('x'.repeat(200_000))], { Origin: WEB_UI });
    expectError(refused, 'invalid_namespace');
    for (const { headers } of [answer, refused]) {
      expect(headers).toMatchObject({ 'access-control-allow-origin': WEB_UI, vary: 'Origin' });
    }
  });

  test('asks by OPTIONS for nothing else', async () => {
    const headers = { Origin: WEB_UI };
    const answer = await call(codec.address, '/decode', { method: 'OPTIONS', headers });
    expectError(answer, 'method_not_allowed');
  });
});

test('programs send no origin, get no CORS headers, and are served', async () => {
  const answer = await post(codec, '/decode', [payload('1')]);
  expect(payloadsOf(answer)).toEqual([payload('1')]);
  expect(corsHeaders(answer.headers)).toEqual({});
});

describe('origins', () => {
  test('are read from a list', () => {
    expect([...parseOrigins(`${WEB_UI}, ${CLOUD},http://[::1]:8233`)]).toEqual([
      WEB_UI,
      CLOUD,
      'http://[::1]:8233',
    ]);
  });

  test.each([
    ['*', 'no wildcard'],
    ['http://*', 'no wildcard'],
    ['https://*.example', 'no wildcard'],
    ['null', 'SCHEME://HOST'],
    ['', 'SCHEME://HOST'],
    ['127.0.0.1:8233', 'SCHEME://HOST'],
    ['localhost', 'SCHEME://HOST'],
    ['file:///etc/passwd', 'SCHEME://HOST'],
    ['ws://127.0.0.1:8233', 'SCHEME://HOST'],
    [`${WEB_UI},`, 'SCHEME://HOST'],
    ['http://127.0.0.1:8233/', 'send http://127.0.0.1:8233'],
    ['https://temporal.example/namespaces', 'send https://temporal.example'],
    ['https://temporal.example:443', 'send https://temporal.example'],
    ['https://Temporal.Example', 'send https://temporal.example'],
    ['https://user:secret@temporal.example', 'send https://temporal.example'],
    ['https://temporal.example?', 'send https://temporal.example'],
  ])('are refused where no browser would send them: %j', (text, hint) => {
    expect(() => parseOrigins(text)).toThrow(hint);
  });
});
