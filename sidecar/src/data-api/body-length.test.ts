import { RawConnection } from '@largepayload/testing/servers/raw-connection';
import { expectError, keyOf } from '@largepayload/testing/service/http-call';
import { generatedBytes, getPath, testPayload } from '@largepayload/testing/service/payload';
import { filesIn, startService, type TestService } from '@largepayload/testing/service/running-service';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const MAX_PAYLOAD_SIZE = 1_000_000;

let service: TestService;
beforeAll(async () => {
  service = await startService({ limits: { maxPayloadSize: MAX_PAYLOAD_SIZE } });
});
afterAll(() => service[Symbol.asyncDispose]());

const { bytes, putPath, putHeaders } = testPayload('a body of twenty-eight bytes');
const { 'Content-Length': _, ...headersWithoutLength } = putHeaders;
const requestLine = `PUT ${putPath} HTTP/1.1`;

describe('Content-Length', () => {
  test('is required: a chunked body is refused before it is read', async () => {
    await using connection = await RawConnection.open(service.data);
    await connection.sendHead(requestLine, { ...headersWithoutLength, 'Transfer-Encoding': 'chunked' });
    expectError(await connection.answer(), 'length_required');
  });

  test('is required: a request that ends with its head is refused', async () => {
    await using connection = await RawConnection.open(service.data);
    await connection.sendHead(requestLine, headersWithoutLength);
    expectError(await connection.answer(), 'length_required');
  });

  test.each(['-1', '+28', '28.0', '2e1', '0x1c', 'many', '28, 28', '', '99999999999999999999999'])(
    'cannot be %j',
    async (length) => {
      await using connection = await RawConnection.open(service.data);
      await connection.sendHead(requestLine, { ...putHeaders, 'Content-Length': length });
      expectError(await connection.answer(), 'malformed_request');
    },
  );

  test('cannot be a number that no file has', async () => {
    await using connection = await RawConnection.open(service.data);
    await connection.sendHead(requestLine, { ...putHeaders, 'Content-Length': '9007199254740993' });
    expectError(await connection.answer(), 'invalid_content_length');
  });

  test('is not believed beside Transfer-Encoding, which is how requests are smuggled', async () => {
    await using connection = await RawConnection.open(service.data);
    await connection.sendHead(requestLine, { ...putHeaders, 'Transfer-Encoding': 'chunked' });
    expectError(await connection.answer(), 'malformed_request');
    await connection.closed();
  });

  test('given twice is refused', async () => {
    await using connection = await RawConnection.open(service.data);
    await connection.sendHead(requestLine, { ...putHeaders, 'content-length': '27' });
    expectError(await connection.answer(), 'malformed_request');
  });

  test('is counted in bytes: what follows the body is the next request', async () => {
    await using connection = await RawConnection.open(service.data);
    await connection.sendHead(requestLine, putHeaders);
    await connection.send(Buffer.concat([bytes, Buffer.from('surplus bytes\r\n\r\n')]));
    const first = await connection.answer();
    if (first.status === 201) expectError(await connection.answer(), 'malformed_request');
    else expectError(first, 'malformed_request');
    await connection.closed();
  });
});

describe('a body over the limit', () => {
  const declare = (size: number) => ({ ...putHeaders, 'Content-Length': String(size) });

  test('is refused before it is sent', async () => {
    await using connection = await RawConnection.open(service.data);
    await connection.sendHead(requestLine, declare(MAX_PAYLOAD_SIZE + 1));
    expectError(await connection.answer(), 'payload_too_large');
  });

  test('is refused in a way that a client reads who sends all of it first', async () => {
    await using connection = await RawConnection.open(service.data);
    const size = 50 * 1024 * 1024;
    await connection.sendHead(requestLine, declare(size));
    const part = generatedBytes(1024 * 1024);
    for (let sent = 0; sent < size; sent += part.length) await connection.send(part);
    expectError(await connection.answer(), 'payload_too_large');
    // The refused body was read to its end, so the connection serves on.
    await connection.sendHead('HEAD /v2/health/head HTTP/1.1', {});
    expect((await connection.answer()).status).toBe(200);
  });
});

describe('Expect: 100-continue', () => {
  const expecting = { ...putHeaders, Expect: '100-continue' };
  // Its grammar is right: only the storage's names are too short for it.
  const longPrefix = Array.from({ length: 4 }, () => 'x'.repeat(255)).join('/');
  const metadata = { 'remote-codec/key-prefix': Buffer.from(longPrefix).toString('base64') };
  const metadataWithLongPrefix = Buffer.from(JSON.stringify(metadata)).toString('base64');

  test('is answered when the body is wanted', async () => {
    await using own = await startService();
    await using connection = await RawConnection.open(own.data);
    await connection.sendHead(requestLine, expecting);
    expect((await connection.answer()).status).toBe(100);
    await connection.send(bytes);
    const answer = await connection.answer();
    expect(answer.status).toBe(201);
    expect(await filesIn(own.folder)).toEqual([keyOf(answer)]);
  });

  test.each([
    ['payload_too_large', { 'Content-Length': String(MAX_PAYLOAD_SIZE + 1) }],
    ['invalid_metadata', { 'X-Temporal-Metadata': '' }],
    ['invalid_content_type', { 'Content-Type': 'text/plain' }],
    ['invalid_key_prefix', { 'X-Temporal-Metadata': metadataWithLongPrefix }],
  ] as const)('is not when it is refused: %s', async (code, headers) => {
    await using connection = await RawConnection.open(service.data);
    await connection.sendHead(requestLine, { ...expecting, ...headers });
    expectError(await connection.answer(), code);
    await connection.closed(2_000);
  });

  test('is nothing that an HTTP/1.0 client understands', async () => {
    await using own = await startService();
    await using connection = await RawConnection.open(own.data);
    await connection.sendHead(`PUT ${putPath} HTTP/1.0`, expecting);
    await connection.send(bytes);
    expect((await connection.answer()).status).toBe(201);
  });

  test('of anything else is ignored', async () => {
    await using own = await startService();
    await using connection = await RawConnection.open(own.data);
    await connection.sendHead(requestLine, { ...putHeaders, Expect: 'a-miracle' });
    await connection.send(bytes);
    expect((await connection.answer()).status).toBe(201);
  });
});

test('the refused requests above have stored nothing but the one whole body', async () => {
  const foreign = async () =>
    (await filesIn(service.folder)).filter((file) => !file.includes(testPayload(bytes).digest));
  await eventually('nothing else is there', async () => (await foreign()).length === 0);
  await using connection = await RawConnection.open(service.data);
  for (const file of await filesIn(service.folder)) {
    await connection.sendHead(`GET ${getPath(file)} HTTP/1.1`, testPayload(bytes).getHeaders);
    expect(await connection.answer()).toMatchObject({ status: 200, body: bytes });
  }
});
