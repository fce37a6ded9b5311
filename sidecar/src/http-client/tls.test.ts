import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { TlsOptions } from 'node:tls';
import { writeCertificates } from '@largepayload/testing/cluster/certificates';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest';
import { bytesOf } from '../bytes/byte-streams.ts';
import { answerWith, clientOf, type RawScript, rawServer } from './raw-server.fixture.ts';
import type { AnswerBody } from './transport.ts';

let folder: string;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'client-tls-'));
  await writeCertificates(folder, [
    { name: 'server', subject: '/CN=server', addresses: ['DNS:localhost', 'IP:127.0.0.1'] },
    { name: 'other', subject: '/CN=other', addresses: ['DNS:other.test'] },
  ]);
  await writeCertificates(join(folder, 'elsewhere'), [
    { name: 'server', subject: '/CN=server', addresses: ['DNS:localhost'] },
  ]);
});
afterAll(() => rmSync(folder, { recursive: true }));

const file = (name: string) => readFileSync(join(folder, name), 'utf8');
const authority = () => file('ca.crt');
const identity = (name: string): TlsOptions => ({ key: file(`${name}.key`), cert: file(`${name}.crt`) });
const hello: RawScript = ({ socket }) => socket.write(answerWith('hello'));

test('many requests over TLS make one handshake', async () => {
  const server = await rawServer(hello, identity('server'));
  const { ask } = clientOf(server, {}, authority());
  for (let count = 0; count < 20; count += 1) expect((await ask()).body.toString()).toBe('hello');
  expect(server.connections).toHaveLength(1);
});

test.each(['TLSv1.2', 'TLSv1.3'] as const)(
  'a later connection takes up the session of the one before, by %s',
  async (version) => {
    const server = await rawServer(hello, { ...identity('server'), maxVersion: version });
    const { ask } = clientOf(server, { ageMs: 0 }, authority());
    for (let count = 0; count < 4; count += 1) {
      await ask();
      await eventually('it is closed', () => server.open() === 0);
    }
    expect(server.connections.map(({ isResumed }) => isResumed)).toEqual([false, true, true, true]);
  },
);

test('bodies over TLS come whole, however slow the sink', async () => {
  const content = Buffer.alloc(8 * 1024 * 1024, 'some bytes ');
  const server = await rawServer(({ socket }) => socket.write(answerWith(content)), identity('server'));
  const { ask } = clientOf(server, {}, authority());
  for (const pauseMs of [0, 5]) {
    const { body } = await ask({ streamAnswer: true });
    const pieces: Buffer[] = [];
    const write = async (chunk: Buffer) => {
      const before = Buffer.from(chunk);
      await sleep(pauseMs);
      expect(chunk.equals(before)).toBe(true);
      pieces.push(before);
    };
    await (body as AnswerBody).readInto({ write });
    expect(Buffer.concat(pieces).equals(content)).toBe(true);
  }
  expect(server.connections).toHaveLength(1);
});

test('a connection whose body became whole in a pause serves the next request', async () => {
  const half = 512 * 1024;
  const content = Buffer.alloc(2 * half + 20_000, 'some bytes ');
  const head = answerWith(content).subarray(0, -content.length);
  // The second buffer has little room left when a part of it is lent, and the rest comes in several records at once.
  const parts = [0, half, 2 * half - 20_000].map((from, at, all) => content.subarray(from, all[at + 1]));
  let socket: Socket | undefined;
  const server = await rawServer((connection, request) => {
    socket = connection.socket;
    if (request.startsWith('HEAD')) return socket.write(answerWith(''));
    return socket.write(Buffer.concat([head, parts.shift() as Buffer]));
  }, identity('server'));
  const { ask } = clientOf(server, { idleMs: 200, answerMs: 1_000 }, authority());
  const { body } = await ask({ streamAnswer: true });
  const pieces: Buffer[] = [];
  const write = async (chunk: Buffer) => {
    pieces.push(Buffer.from(chunk));
    const [next] = parts.splice(0, 1);
    if (next !== undefined) socket?.write(next);
    if (parts.length === 0) await sleep(100);
  };
  await (body as AnswerBody).readInto({ write });
  expect(Buffer.concat(pieces).equals(content)).toBe(true);
  expect(await ask({}, { method: 'HEAD' })).toMatchObject({ statusCode: 200 });
  expect(server.connections).toHaveLength(1);
});

test('a body is sent over TLS as it is', async () => {
  const content = Buffer.alloc(3 * 1024 * 1024, 'some bytes ');
  let received = 0;
  const server = await rawServer(({ socket }, head) => {
    const rest = content.length - (head.length - head.indexOf('\r\n\r\n') - 4);
    const count = (data: Buffer) => {
      received += data.length;
      if (received === rest) socket.off('data', count).write(answerWith(''));
    };
    received = 0;
    socket.on('data', count);
  }, identity('server'));
  const { ask } = clientOf(server, {}, authority());
  for (const body of [[content], [content.subarray(0, 1000), content.subarray(1000)]]) {
    expect(await ask({}, { method: 'PUT', body })).toMatchObject({ statusCode: 200, sent: true });
  }
});

test.each([
  ['of an unknown authority', 'elsewhere/server', {}, /SELF_SIGNED_CERT_IN_CHAIN|UNABLE_TO/],
  ['for another name', 'other', {}, /^ERR_TLS_CERT_ALTNAME_INVALID$/],
])('a certificate %s is refused, and no request is sent', async (_title, name, changes, code) => {
  const server = await rawServer(hello, identity(name));
  const { ask } = clientOf(server, {}, authority());
  await expect(ask({}, changes)).rejects.toMatchObject({ code: expect.stringMatching(code) });
  expect(server.connections.flatMap(({ requests }) => requests)).toEqual([]);
});

test('a certificate that has changed for one of another authority is refused, in spite of the session', async () => {
  const options = identity('server');
  const server = await rawServer(hello, { ...options, ticketKeys: Buffer.alloc(48, 1) });
  const { ask, agents } = clientOf(server, { ageMs: 0 }, authority());
  await ask();
  await eventually('it is closed', () => server.open() === 0);
  const { port } = server;
  await server.stop();
  const changed = await rawServer(
    hello,
    { ...identity('elsewhere/server'), ticketKeys: Buffer.alloc(48, 2) },
    port,
  );
  await expect(ask()).rejects.toMatchObject({ code: expect.stringMatching(/SELF_SIGNED|UNABLE_TO/) });
  expect(changed.connections.flatMap(({ requests }) => requests)).toEqual([]);
  expect(agents.inUse()).toBe(0);
});

test('an alert, plain HTTP and a reset in place of a handshake are failures without an answer', async () => {
  // TLS 1.2 alert: fatal, handshake failure.
  const alert = Buffer.from([0x15, 3, 3, 0, 2, 2, 40]);
  const answers: [Buffer | undefined, RegExp][] = [
    [alert, /^ERR_SSL_/],
    [Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'), /^ERR_SSL_|EPROTO/],
    [undefined, /^ECONNRESET$/],
  ];
  for (const [answer, code] of answers) {
    const server = createServer((socket) => {
      socket
        .on('error', () => {})
        .once('data', () => (answer === undefined ? socket.resetAndDestroy() : socket.end(answer)));
    }).listen(0, '127.0.0.1');
    onTestFinished(() => void server.close());
    await eventually('it listens', () => server.listening);
    const { ask } = clientOf({ port: (server.address() as { port: number }).port }, {}, authority());
    await expect(ask()).rejects.toMatchObject({ code: expect.stringMatching(code) });
  }
});

test('an answer over TLS that breaks is never whole', async () => {
  const all = answerWith(Buffer.alloc(100_000));
  for (const end of ['end', 'destroy'] as const) {
    const server = await rawServer(({ socket }) => {
      socket.write(all.subarray(0, 60_000), () => socket[end]());
    }, identity('server'));
    const { ask } = clientOf(server, {}, authority());
    const read = ask({ streamAnswer: true }).then(({ body }) => bytesOf(body as AnswerBody));
    await expect(read).rejects.toMatchObject({ code: 'ECONNRESET' });
  }
});
