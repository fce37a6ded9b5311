import { METHODS } from 'node:http';
import { Readable } from 'node:stream';
import { headText, RawConnection } from '@largepayload/testing/servers/raw-connection';
import { call, expectError } from '@largepayload/testing/service/http-call';
import { startService, type TestService } from '@largepayload/testing/service/running-service';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  JSON_HEADERS,
  payload,
  payloadsOf,
  post,
  startCodec,
  type TestCodecServer,
} from './codec-server.fixture.ts';

const MIB = 1024 * 1024;
const PATHS = ['/decode', '/encode'];

let service: TestService;
let codec: TestCodecServer;
beforeAll(async () => {
  service = await startService();
  codec = await startCodec(service.data);
});
afterAll(async () => {
  await codec.stop();
  await service[Symbol.asyncDispose]();
});

const send = (path: string, body: string | Buffer, headers: Record<string, string> = JSON_HEADERS) =>
  call(codec.address, path, { method: 'POST', headers, body });

describe('only the two calls are there', () => {
  test('and only by POST: another method is refused', async () => {
    for (const path of [...PATHS, '/orders/decode', '/orders/encode']) {
      for (const method of METHODS.filter((other) => other !== 'POST' && other !== 'CONNECT')) {
        const answer = await call(codec.address, path, { method });
        expect([method, answer.status, answer.headers.allow]).toEqual([method, 405, 'POST']);
      }
    }
  });

  test.each(['/', '/Decode', '/decode/', '/a/b/decode', '/metrics', '/v2/blobs/get', '/__proto__'])(
    'and not %s',
    async (path) => expectError(await send(path, '{"payloads":[]}'), 'unknown_route'),
  );
});

test.each([
  undefined,
  '',
  'text/plain',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=x',
  'application/jsonp',
  'text/plain;application/json',
  'application/octet-stream',
])('a body of type %j is refused', async (type) => {
  for (const path of PATHS) {
    const headers = type === undefined ? {} : { 'Content-Type': type };
    expectError(
      await send(path, '{"payloads":[]}', headers as Record<string, string>),
      'unsupported_media_type',
    );
  }
});

test.each(['application/json', 'Application/JSON', 'application/json; charset=utf-8'])(
  'a body of type %j is taken',
  async (type) => {
    expect(payloadsOf(await send('/decode', '{"payloads":[{}]}', { 'Content-Type': type }))).toEqual([{}]);
  },
);

test.each([
  '',
  ' ',
  'null',
  '[]',
  '"payloads"',
  '{"payloads":{}}',
  '{"payloads":"a"}',
  '{"payloads":[null]}',
  '{"payloads":["a"]}',
  '{"payloads":[[]]}',
  '{"payloads":[{"metadata":[]}]}',
  '{"payloads":[{"metadata":"a"}]}',
  '{"payloads":[{"metadata":{"encoding":1}}]}',
  '{"payloads":[{"metadata":{"encoding":null}}]}',
  '{"payloads":[{"data":1}]}',
  '{"payloads":[{"data":["YQ=="]}]}',
  '{"payloads":[{"externalPayloads":{}}]}',
  '{"payloads":[{"externalPayloads":[{"sizeBytes":"many"}]}]}',
  '{"payloads":[{"externalPayloads":[{"sizeBytes":1.5}]}]}',
  '{"payloads":[{}]',
  '{"payloads":[{}]}{"payloads":[{}]}',
  '{"payloads":[{"data":"YQ=="}',
  '{"payloads":[{"data":"YQ==\\',
  '\ufeff{"payloads":[]}',
  Buffer.from('{"payloads":[{"metadata":{"k\xfcrzer":""}}]}', 'latin1'),
])('a body that holds no payloads is refused: %s', async (body) => {
  for (const path of PATHS) expectError(await send(path, body), 'invalid_payloads');
});

test.each(['{}', '{"payloads":null}', '{"other":{"payloads":[1]}}'])('%s is no payloads', async (body) => {
  expect((await send('/decode', body)).body.toString()).toBe('{"payloads":[]}');
});

describe('a body made to cost more than it is', () => {
  test.each([
    ['60 million brackets', '['.repeat(60 * MIB)],
    ['60 million opened objects', '{"a":'.repeat(12 * MIB)],
    ['payloads nested in payloads', `{"payloads":[{"x":${'['.repeat(40)}${']'.repeat(40)}}]}`],
    ['20 million empty payloads', `{"payloads":[${'{},'.repeat(20 * MIB)}{}]}`],
    ['millions of metadata keys', `{"payloads":[{"metadata":{${'"a":"",'.repeat(8 * MIB)}"b":""}}]}`],
  ])('%s', async (_name, body) => {
    const answer = await send('/decode', body);
    expectError(answer, 'invalid_payloads');
    // Said before it is parsed: what JSON.parse refuses, or makes of it, has other words.
    expect(answer.body.toString()).toContain('nests deeper, or has more parts');
  });

  test('brackets and quotes within strings are not counted', async () => {
    const text = '\\"[{,'.repeat(100_000);
    const answer = await send('/decode', `{"payloads":[{"data":"${text}","x":"\\\\"}]}`);
    expect(payloadsOf(answer)[0]?.data).toBe(text.replaceAll('\\"', '"'));
  });

  test('is refused when it has 10,000 payloads', async () => {
    const answer = await post(codec, '/decode', Array(10_000).fill(payload('1')));
    expectError(answer, 'payload_too_large');
    expect(payloadsOf(await post(codec, '/decode', Array(1_000).fill(payload('1'))))).toHaveLength(1_000);
  });
});

describe('100 MB of JSON', () => {
  const size = 100_000_000;

  test('announced are refused before they are read', async () => {
    await using connection = await RawConnection.open(codec.address);
    await connection.sendHead('POST /decode HTTP/1.1', { ...JSON_HEADERS, 'Content-Length': String(size) });
    expectError(await connection.answer(), 'payload_too_large');
  });

  test('are refused though the client waits to send them', async () => {
    await using connection = await RawConnection.open(codec.address);
    await connection.send(
      headText('POST /encode HTTP/1.1', {
        ...JSON_HEADERS,
        'Content-Length': String(size),
        Expect: '100-continue',
      }),
    );
    expectError(await connection.answer(), 'payload_too_large');
    await connection.closed();
  });

  test('that come unannounced are refused when they are too many', async () => {
    const chunk = Buffer.alloc(MIB, 'a');
    const body = Readable.from(
      (function* () {
        yield '{"payloads":[{"data":"';
        for (let sent = 0; sent < size; sent += chunk.length) yield chunk;
      })(),
      { objectMode: false, highWaterMark: MIB },
    );
    await using connection = await RawConnection.open(codec.address);
    await connection.sendHead('POST /decode HTTP/1.1', {
      ...JSON_HEADERS,
      'Transfer-Encoding': 'chunked',
    });
    for await (const part of body as AsyncIterable<Buffer>) {
      await connection.send(`${part.length.toString(16)}\r\n`);
      await connection.send(Buffer.concat([part, Buffer.from('\r\n')]));
      if (connection.received.length > 0) break;
    }
    expectError(await connection.answer(), 'payload_too_large');
  });
});

test('a body in chunks is taken', async () => {
  await using connection = await RawConnection.open(codec.address);
  const headers = { ...JSON_HEADERS, 'Transfer-Encoding': 'chunked', Connection: 'close' };
  await connection.sendHead('POST /decode HTTP/1.1', headers);
  await connection.send('c\r\n{"payloads":\r\n');
  await connection.send('3\r\n[]}\r\n0\r\n\r\n');
  await connection.closed();
  expect(connection.received.toString()).toMatch(/^HTTP\/1.1 200 .*\{"payloads":\[\]\}/s);
});

test('a body that waits for leave to be sent gets it', async () => {
  await using connection = await RawConnection.open(codec.address);
  await connection.sendHead('POST /decode HTTP/1.1', {
    ...JSON_HEADERS,
    'Content-Length': '15',
    Expect: '100-continue',
    Connection: 'close',
  });
  expect((await connection.answer()).status).toBe(100);
  await connection.send('{"payloads":[]}');
  await connection.closed();
  expect(connection.received.toString()).toContain('{"payloads":[]}');
});
