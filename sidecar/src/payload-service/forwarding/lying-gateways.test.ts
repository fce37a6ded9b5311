import { ERROR_TABLE, type ErrorCode } from '@largepayload/sidecar/errors/service-error';
import { head, rawServer } from '@largepayload/testing/servers/test-server';
import { type Answer, call, expectError } from '@largepayload/testing/service/http-call';
import { generatedBytes, testPayload } from '@largepayload/testing/service/payload';
import { describe, expect, onTestFinished, test } from 'vitest';
import { keyFor, sidecarBefore } from './sidecar.fixture.ts';

const PAYLOAD = testPayload('some bytes');
const OTHER = testPayload('SOME BYTES');
const KEY = keyFor(PAYLOAD);
const OCTETS = 'application/octet-stream';

/** A sidecar before a server that answers each request with these bytes, whatever it is asked. */
async function before(answer: string) {
  const gateway = await rawServer((socket) => socket.end(answer, 'latin1'));
  onTestFinished(() => gateway[Symbol.asyncDispose]());
  return await sidecarBefore(gateway.url);
}

function json(status: string, content: unknown, headers = {}): string {
  const text = JSON.stringify(content);
  return `${head(status, { 'Content-Length': text.length, Connection: 'close', ...headers })}${text}`;
}

const error = (code: string) => ({ error: { code, message: 'a message of a gateway' } });

describe('what proves nothing is no acknowledgement', () => {
  test.each<[string, string]>([
    ['a 200 without a body', head('200 OK', { 'Content-Length': 0 })],
    ['a 201 without a key', json('201 Created', {})],
    ['a key that is no text', json('201 Created', { Key: [KEY] })],
    ['a key of another shape', json('201 Created', { Key: `${KEY}/x` })],
    ['the key of other bytes', json('201 Created', { Key: keyFor(OTHER) })],
    ['the key of another namespace', json('201 Created', { Key: keyFor(PAYLOAD, 'billing') })],
    ['the key of other metadata', json('201 Created', { Key: KEY.replace(/[0-9a-f]{64}$/, '0'.repeat(64)) })],
    ['an acknowledgement by another status', json('202 Accepted', { Key: KEY })],
    ['a 204', head('204 No Content')],
    ['a page', `${head('200 OK', { 'Content-Type': 'text/html', 'Content-Length': 6 })}<html>`],
    ['an answer that is cut off', json('201 Created', { Key: KEY }).slice(0, -10)],
    [
      'an answer of two lengths',
      `HTTP/1.1 201 X\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    ],
    ['a redirect', head('307 Temporary Redirect', { Location: 'http://127.0.0.1:9/', 'Content-Length': 0 })],
    ['what is no HTTP', 'SSH-2.0-OpenSSH_9.6\r\n'],
    ['a proxy that has no gateway', json('503 Service Unavailable', {})],
    ['a code with the status of another', json('400 Bad Request', error('storage_full'))],
    ['a code that is none', json('503 Service Unavailable', error('toString'))],
    ['a payload that is not found, where none was asked for', json('404 Not Found', error('key_not_found'))],
  ])('%s', async (_what, answer) => {
    const sidecar = await before(answer);
    expectError(await sidecar.put(PAYLOAD), 'gateway_unreachable');
  });

  test('an acknowledgement before the whole body was sent', async () => {
    const large = testPayload(generatedBytes(20_000_000));
    const sidecar = await before(json('201 Created', { Key: keyFor(large) }));
    expectError(await sidecar.put(large), 'gateway_unreachable');
  });
});

describe('what proves nothing is no payload, and does not say that there is none', () => {
  const size = PAYLOAD.bytes.length;
  test.each<[string, string]>([
    ['a page', `${head('200 OK', { 'Content-Type': 'text/html', 'Content-Length': size })}<!doctype>`],
    ['a body of unknown type', `${head('200 OK', { 'Content-Length': size })}some bytes`],
    ['fewer bytes', `${head('200 OK', { 'Content-Type': OCTETS, 'Content-Length': 4 })}some`],
    [
      'a part',
      `${head('206 Partial Content', { 'Content-Type': OCTETS, 'Content-Length': size })}some bytes`,
    ],
    ['a body of unknown size', `${head('200 OK', { 'Content-Type': OCTETS })}some bytes`],
    ['a 404 without a code', json('404 Not Found', {})],
    ['a 404 with another code', json('404 Not Found', error('integrity'))],
    ['a body that is cut off', `${head('200 OK', { 'Content-Type': OCTETS, 'Content-Length': size })}some`],
  ])('%s', async (_what, answer) => {
    const sidecar = await before(answer);
    expectError(await sidecar.get(KEY, PAYLOAD), 'gateway_unreachable');
  });
});

test('a body that is cut off after bytes of it were passed on is cut off for the worker too', async () => {
  const large = testPayload(generatedBytes(4_000_000));
  const start = head('200 OK', { 'Content-Type': OCTETS, 'Content-Length': large.bytes.length });
  const sidecar = await before(start + large.bytes.subarray(0, 3_000_000).toString('latin1'));
  await expect(sidecar.get(keyFor(large), large)).rejects.toThrow(/aborted|hang up|ECONNRESET/);
});

test('wrong bytes pass as they are: the codec verifies them', async () => {
  const headers = { 'Content-Type': OCTETS, 'Content-Length': PAYLOAD.bytes.length };
  const sidecar = await before(`${head('200 OK', headers)}SOME BYTES`);
  const answer = await sidecar.get(KEY, PAYLOAD);
  expect({ status: answer.status, body: answer.body.toString() }).toEqual({
    status: 200,
    body: 'SOME BYTES',
  });
});

test('each code of the wire protocol passes with its message, and a longer Retry-After than ours', async () => {
  const seen: unknown[] = [];
  const expected: unknown[] = [];
  // A gateway that ends is left for another one first.
  const codes = (Object.keys(ERROR_TABLE) as ErrorCode[]).filter((code) => code !== 'draining');
  let next = '';
  const gateway = await rawServer((socket) => socket.end(next));
  onTestFinished(() => gateway[Symbol.asyncDispose]());
  const sidecar = await sidecarBefore(gateway.url);
  for (const code of codes) {
    const { status } = ERROR_TABLE[code];
    next = json(`${status} X`, error(code), status === 503 ? { 'Retry-After': 7 } : {});
    seen.push(shown(await sidecar.get(KEY, PAYLOAD)));
    const body = JSON.stringify(error(code));
    expected.push({ status, body, retryAfter: status === 503 ? '7' : undefined });
  }
  expect(seen).toEqual(expected);
});

test('a long message of a liar costs little', async () => {
  const sidecar = await before(json('503 X', { error: { code: 'busy', message: 'x'.repeat(60_000) } }));
  expect((await sidecar.get(KEY, PAYLOAD)).body.length).toBeLessThan(5_000);
  const endless = await before(json('503 X', { error: { code: 'busy', message: 'x'.repeat(70_000) } }));
  expectError(await endless.get(KEY, PAYLOAD), 'gateway_unreachable');
});

test('a gateway that is not well makes the sidecar not ready', async () => {
  for (const status of ['204 No Content', '404 Not Found', '503 Service Unavailable']) {
    const sidecar = await before(head(status, { Connection: 'close' }));
    expect((await call(sidecar.data, '/v2/health/head', { method: 'HEAD' })).status).toBe(503);
    expectError(await withoutStatus(await call(sidecar.metrics, '/readyz')), 'gateway_unreachable');
  }
});

/** The answer of `/readyz` is an error with a field before it, and asks for no wait. */
function withoutStatus(answer: Answer): Answer {
  const { error: reported } = JSON.parse(answer.body.toString());
  const headers = { ...answer.headers, 'retry-after': '1' };
  return { ...answer, headers, body: Buffer.from(JSON.stringify({ error: reported })) };
}

function shown({ status, body, headers }: Answer) {
  return { status, body: body.toString(), retryAfter: headers['retry-after'] };
}
