import { headText, RawConnection } from '@largepayload/testing/servers/raw-connection';
import { call, expectError, keyOf } from '@largepayload/testing/service/http-call';
import { generatedBytes, getPath, metadataHeader, testPayload } from '@largepayload/testing/service/payload';
import { filesIn, startService, type TestService } from '@largepayload/testing/service/running-service';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

let service: TestService;
/** Refuses slow heads early. A large head is slow too on a busy machine, so only tests of slow heads use this service. */
let impatient: TestService;
beforeAll(async () => {
  service = await startService();
  impatient = await startService({ limits: { headersTimeout: 600 } });
});
afterAll(() => Promise.all([service, impatient].map((each) => each[Symbol.asyncDispose]())));

const payload = testPayload('the body');

describe('what is not a request', () => {
  test.each([
    ['another protocol', 'SSH-2.0-OpenSSH_9.9\r\n\r\n'],
    ['a TLS greeting', Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00, 0x01, 0xfc, 0x03, 0x03])],
    ['a request line without a path', 'GET HTTP/1.1\r\n\r\n'],
    ['an unknown method', headText('BREW /v2/blobs/get HTTP/1.1')],
    ['an unknown version of HTTP', headText('GET / HTTP/9.9')],
    ['HTTP/2 without negotiation', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
    ['a header without a colon', 'GET / HTTP/1.1\r\nHost localhost\r\n\r\n'],
    ['a header with a NUL', 'GET / HTTP/1.1\r\nHost: local\0host\r\n\r\n'],
    ['a space before the colon', 'GET / HTTP/1.1\r\nHost : localhost\r\n\r\n'],
    ['a header folded over lines', 'GET / HTTP/1.1\r\nHost: localhost\r\nX: a\r\n b\r\n\r\n'],
  ])('%s is refused, and the connection ends', async (_name, bytes) => {
    for (const port of ['data', 'metrics', 'admin'] as const) {
      await using connection = await RawConnection.open(service[port]);
      await connection.send(bytes);
      expectError(await connection.answer(), 'malformed_request');
      await connection.closed();
    }
  });

  test('in mid answer does not get into the bytes of a payload', async () => {
    const large = testPayload(generatedBytes(32 * 1024 * 1024));
    await using storing = await RawConnection.open(service.data);
    await storing.sendHead(`PUT ${large.putPath} HTTP/1.1`, large.putHeaders);
    await storing.send(large.bytes);
    const key = keyOf(await storing.answer());

    await using connection = await RawConnection.open(service.data);
    await connection.sendHead(`GET ${getPath(key)} HTTP/1.1`, large.getHeaders);
    await eventually('the payload is on its way', () => connection.received.length > 0);
    connection.socket.pause();
    await connection.send('garbage\r\n\r\n');
    connection.socket.resume();
    await connection.closed();
    const body = connection.received.subarray(connection.received.indexOf('\r\n\r\n') + 4);
    expect(body.length).toBeLessThan(large.bytes.length);
    expect(body.equals(large.bytes.subarray(0, body.length))).toBe(true);
  });
});

test.each([
  ['head', `PUT ${payload.putPath} HTTP/1.1\r\nHost: localhost\r\n`],
  ['body', `${headText(`PUT ${payload.putPath} HTTP/1.1`, payload.putHeaders)}the`],
])(
  'a request whose connection ends in its %s for one direction only may be sent again',
  async (_part, bytes) => {
    await using connection = await RawConnection.open(service.data);
    await connection.send(bytes);
    connection.socket.end();
    expectError(await connection.answer(), 'body_incomplete');
    await connection.closed();
  },
);

describe.concurrent('a head that is slow', () => {
  test.each(['', 'PUT /v2/blo', `PUT ${payload.putPath} HTTP/1.1\r\nHost: localhost\r\nX-Temporal-Meta`])(
    'is cut off after %j',
    async (beginning) => {
      await using connection = await RawConnection.open(impatient.data);
      await connection.send(beginning);
      expectError(await connection.answer(), 'request_timeout');
      await connection.closed();
    },
  );

  test('is cut off though it goes on a byte at a time', async () => {
    await using connection = await RawConnection.open(impatient.data);
    const dripping = setInterval(() => void connection.send('a'), 50);
    try {
      await connection.send('GET /v2/health/head HTTP/1.1\r\nX-Slow: ');
      expectError(await connection.answer(), 'request_timeout');
    } finally {
      clearInterval(dripping);
    }
  });
});

describe.concurrent('a large head', () => {
  const put = async (metadataBytes: number) => {
    const connection = await RawConnection.open(service.data);
    const metadata = metadataHeader({ encoding: 'json/plain', note: 'n'.repeat((metadataBytes * 9) / 16) });
    expect(metadata.length).toBeGreaterThan(metadataBytes);
    await connection.sendHead(`PUT ${payload.putPath} HTTP/1.1`, {
      ...payload.putHeaders,
      'X-Temporal-Metadata': metadata,
    });
    await connection.send(payload.bytes);
    return connection;
  };

  test('with the largest metadata in use is taken', async () => {
    await using connection = await put(107_000);
    expect((await connection.answer()).status).toBe(201);
  });

  test.each([300_000, 1_000_000, 8_000_000])(
    'with %i bytes of metadata gets a refusal that can be read',
    async (size) => {
      const before = await filesIn(service.folder);
      for (let attempt = 0; attempt < 5; attempt += 1) {
        await using connection = await put(size);
        expectError(await connection.answer(), 'headers_too_large');
        await connection.closed();
      }
      expect(await filesIn(service.folder)).toEqual(before);
    },
  );

  test.each([300_000, 1_000_000, 8_000_000])(
    'of %i bytes, sent by an ordinary client, gets it too',
    async (size) => {
      const headers = { ...payload.putHeaders, 'X-Temporal-Metadata': 'a'.repeat(size) };
      for (let attempt = 0; attempt < 5; attempt += 1) {
        const answer = await call(service.data, payload.putPath, {
          method: 'PUT',
          headers,
          body: payload.bytes,
        });
        expectError(answer, 'headers_too_large');
      }
    },
  );

  test('of a million header lines is refused', async () => {
    await using connection = await RawConnection.open(service.data);
    await connection.send(`GET / HTTP/1.1\r\nHost: localhost\r\n${'a: b\r\n'.repeat(1_000_000)}\r\n`);
    expectError(await connection.answer(), 'headers_too_large');
  });
});

describe('one connection', () => {
  test('takes requests in a row before their answers, and answers them in order', async () => {
    await using own = await startService();
    await using connection = await RawConnection.open(own.data);
    const puts = ['first', 'second', 'third'].map((text) => testPayload(text));
    const requests = puts.map(({ bytes, putPath, putHeaders }) =>
      Buffer.concat([Buffer.from(headText(`PUT ${putPath} HTTP/1.1`, putHeaders)), bytes]),
    );
    const health = Buffer.from(headText('DELETE /v2/health/head HTTP/1.1'));
    await connection.send(Buffer.concat([...requests, health]));
    for (const { digest } of puts) {
      const answer = await connection.answer();
      expect(answer.status).toBe(201);
      expect(keyOf(answer)).toContain(digest);
    }
    expectError(await connection.answer(), 'method_not_allowed');
  });

  test('of HTTP/1.0 is served and ended', async () => {
    await using own = await startService();
    const { bytes, putPath, putHeaders, getHeaders } = payload;
    await using storing = await RawConnection.open(own.data);
    await storing.sendHead(`PUT ${putPath} HTTP/1.0`, putHeaders);
    await storing.send(bytes);
    const stored = await storing.answer();
    expect(stored.status).toBe(201);
    await storing.closed();
    await using reading = await RawConnection.open(own.data);
    await reading.sendHead(`GET ${getPath(keyOf(stored))} HTTP/1.0`, getHeaders);
    expect(await reading.answer()).toMatchObject({ status: 200, body: bytes });
    await reading.closed();
  });
});
