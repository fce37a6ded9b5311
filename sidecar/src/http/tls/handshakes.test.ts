import { once } from 'node:events';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { call } from '@largepayload/testing/service/http-call';
import { describe, expect, test } from 'vitest';
import { handshake, hello, openTcp, TRUST, targetOf, tlsServices } from './tls-services.fixture.ts';

const KIB = 1024;
const services = tlsServices();

describe('a handshake', () => {
  test.each<[string, ConnectionOptions, string | RegExp]>([
    ['is by TLS 1.3, for HTTP/1.1', { ALPNProtocols: ['h2', 'http/1.1'] }, 'TLSv1.3 http/1.1'],
    ['needs no protocol', {}, 'TLSv1.3 false'],
    ['may be by TLS 1.2', { maxVersion: 'TLSv1.2' }, 'TLSv1.2 false'],
    [
      'is refused by TLS 1.1',
      { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'DEFAULT:@SECLEVEL=0' },
      'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION',
    ],
    ['is refused for HTTP/2 alone', { ALPNProtocols: ['h2'] }, 'ERR_SSL_TLSV1_ALERT_NO_APPLICATION_PROTOCOL'],
    [
      'is refused without forward secrecy',
      { maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256' },
      /^ERR_SSL_(SSLV3|SSL\/TLS)_ALERT_HANDSHAKE_FAILURE$/,
    ],
  ])('%s', async (_name, options, outcome) => {
    expect(await handshake(services.usual.data, options)).toMatch(outcome);
  });

  test('takes AES with 128 bits, which costs less than 256', async () => {
    const socket = connect({ ...targetOf(services.usual.data), ...TRUST });
    await once(socket, 'secureConnect');
    expect(socket.getCipher().name).toBe('TLS_AES_128_GCM_SHA256');
    socket.destroy();
  });

  test('is not repeated on a connection of TLS 1.2', async () => {
    const socket: TLSSocket = connect({ ...targetOf(services.usual.data), ...TRUST, maxVersion: 'TLSv1.2' });
    await once(socket, 'secureConnect');
    const outcome = await new Promise<Error | null>((resolve) => {
      socket.renegotiate({}, resolve);
      socket.on('error', resolve);
    });
    expect(outcome?.message).toMatch(/no renegotiation/i);
    socket.destroy();
  });
});

describe.concurrent('hostile beginnings of a connection', () => {
  test.each<[string, Buffer]>([
    ['a hello of a megabyte', hello(2 ** 20, 16 * KIB)],
    [
      'a hello that begins and is garbage',
      Buffer.concat([Buffer.from([0x16, 3, 1, 0, 64]), Buffer.alloc(64, 7)]),
    ],
    ['a record that no version has', Buffer.from([0x16, 9, 9, 0, 1, 0])],
    ['more than a record before our answer', Buffer.alloc(40 * KIB, 0x16)],
    ['an alert', Buffer.from([0x16, 3, 1, 0, 0, 0x15, 3, 1, 0, 2, 2, 40])],
  ])('%s ends it, and others are served', async (_name, bytes) => {
    using connection = await openTcp(services.usual.data, bytes);
    await connection.closed;
    expect(await handshake(services.usual.data)).toMatch('TLSv1.3');
  });

  test.each<[string, Buffer | undefined]>([
    ['says nothing', undefined],
    ['says one byte of a handshake', Buffer.from([0x16])],
    ['says half of a handshake', hello(500, 200)],
  ])('a client that %s loses its connection', async (_name, bytes) => {
    using connection = await openTcp(services.impatient.data, bytes);
    await connection.closed;
  });

  test('a handshake of one byte at a time ends when its time is over', async () => {
    using connection = await openTcp(services.impatient.data, hello(500, 4));
    const dripping = setInterval(() => connection.socket.write(Buffer.alloc(1)), 50);
    await connection.closed.finally(() => clearInterval(dripping));
  });
});

test.concurrent('a flood of slow handshakes takes the places of its own peer, and others shake hands', async () => {
  const address = services.small.data;
  const flood = await Promise.all(
    Array.from({ length: 20 }, () => openTcp(address, hello(500, 200), '127.0.0.2')),
  );
  expect(await handshake(address)).toMatch('TLSv1.3');
  expect((await call(address, '/v2/health/head', { method: 'HEAD' })).status).toBe(200);
  for (const { socket } of flood) socket.destroy();
});

test.concurrent('many clients that shake hands at once all get their turn', async () => {
  const outcomes = await Promise.all(Array.from({ length: 40 }, () => handshake(services.alsoSmall.data)));
  expect(outcomes).toEqual(Array(40).fill('TLSv1.3 false'));
});
