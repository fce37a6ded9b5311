import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { expect, test } from 'vitest';
import { bytesOf, sourceOf } from '../bytes/byte-streams.ts';
import { answerWith, clientOf, type RawScript, rawServer } from './raw-server.fixture.ts';
import type { AnswerBody } from './transport.ts';

const hello: RawScript = ({ socket }) => socket.write(answerWith('hello'));
const HUNDRED = Buffer.alloc(100_000, 'x');

test('an answer that is cut at any byte is never delivered as whole', async () => {
  const all = answerWith('hello, you two');
  let at = 0;
  const server = await rawServer(({ socket }) => socket.end(all.subarray(0, at)));
  const { ask } = clientOf(server);
  for (; at < all.length; at += 1) {
    for (const streamAnswer of [true, false]) {
      const whole = ask({ streamAnswer }).then(({ body }) => (Buffer.isBuffer(body) ? body : bytesOf(body)));
      await expect(whole, `${at}`).rejects.toMatchObject({ code: 'ECONNRESET' });
    }
  }
});

test('a refusal before the body was sent is the answer, and its connection is not used again', async () => {
  const server = await rawServer(({ socket }) => socket.pause().write(answerWith('', '', 412)));
  const { ask, agents } = clientOf(server);
  const slowBody = async function* () {
    for (let count = 0; count < 64; count += 1) {
      yield Buffer.alloc(64 * 1024);
      await sleep(1);
    }
  };
  const put = () =>
    ask(
      {},
      { method: 'PUT', body: sourceOf(slowBody()), headers: { 'content-length': `${4 * 1024 * 1024}` } },
    );
  expect(await put()).toMatchObject({ statusCode: 412, sent: false });
  await eventually('it is closed', () => agents.inUse() === 0);
  expect(await put()).toMatchObject({ statusCode: 412, sent: false });
  expect(server.connections).toHaveLength(2);
});

test.each([
  ['more', 70_000],
  ['fewer', 50_000],
])('a body of %s bytes than promised fails, and the service never has a whole one', async (_title, size) => {
  let received = 0;
  const server = await rawServer(({ socket }) => socket.on('data', (data) => (received += data.length)));
  const { ask } = clientOf(server);
  const body = sourceOf([Buffer.alloc(size / 2), Buffer.alloc(size / 2)]);
  await expect(ask({}, { method: 'PUT', body, headers: { 'content-length': '60000' } })).rejects.toThrow(
    RangeError,
  );
  expect(received).toBeLessThan(60_000);
});

test.each([
  [{ path: '/a b' }],
  [{ path: '/a\r\nX: 1' }],
  [{ method: 'GET /' }],
  [{ headers: { a: 'b\r\nc: d' } }],
  [{ headers: { 'a:b': 'c' } }],
  [{ headers: { a: 'ä€' } }],
  [{ method: 'PUT', body: Buffer.alloc(5), headers: { 'content-length': '6' } }],
])('a request that would be another one on the wire is not sent: %j', async (changes) => {
  const server = await rawServer(hello);
  await expect(clientOf(server).ask({}, changes)).rejects.toThrow(TypeError);
  expect(server.connections).toHaveLength(0);
});

test('a request names its host, and asks for bytes without encoding', async () => {
  const server = await rawServer(hello);
  await clientOf(server).ask();
  expect(server.connections[0]?.requests).toEqual([
    `GET / HTTP/1.1\r\nHost: localhost:${server.port}\r\nAccept-Encoding: identity\r\n\r\n`,
  ]);
});

test.each<[string, RawScript, object, string]>([
  ['no answer', () => {}, { answerMs: 60 }, 'no answer within 0.06 seconds'],
  [
    'a head that drips',
    ({ socket }) => {
      const dripping = setInterval(() => socket.write('x'), 20);
      socket.write('HTTP/1.1 200 OK\r\nA: ');
      socket.on('close', () => clearInterval(dripping));
    },
    { answerMs: 200 },
    'no answer within 0.2 seconds',
  ],
  [
    'a body that stops',
    ({ socket }) => socket.write(answerWith(HUNDRED).subarray(0, 50_000)),
    { idleMs: 60 },
    'no bytes within 0.06 seconds',
  ],
  [
    'a refusal that drips',
    ({ socket }) => {
      const dripping = setInterval(() => socket.write('x'), 20);
      socket.write('HTTP/1.1 500 X\r\nContent-Length: 1000\r\n\r\n');
      socket.on('close', () => clearInterval(dripping));
    },
    { bodyMs: 200 },
    'no complete answer within 0.2 seconds',
  ],
])('%s ends by its limit, and closes the connection', async (_title, script, limits, message) => {
  const server = await rawServer(script);
  const { ask, agents } = clientOf(server, limits);
  const reading = ask({ streamAnswer: true }).then(({ body }) => bytesOf(body as AnswerBody));
  await expect(reading).rejects.toMatchObject({ code: 'ETIMEDOUT', message });
  await eventually('it is closed', () => server.open() === 0 && agents.inUse() === 0);
});

test.each<[string, RawScript, boolean]>([
  ['while the answer is awaited', () => {}, true],
  ['in the middle of a head', ({ socket }) => socket.write('HTTP/1.1 200'), true],
  [
    'in the middle of a body that streams',
    ({ socket }) => socket.write(answerWith(HUNDRED).subarray(0, 50_000)),
    true,
  ],
  [
    'in the middle of a body that is collected',
    ({ socket }) => socket.write(answerWith(HUNDRED).subarray(0, 50_000)),
    false,
  ],
])('an abort %s rejects with the reason, and closes the connection', async (_title, script, streamAnswer) => {
  const server = await rawServer(script);
  const { ask, agents } = clientOf(server);
  const stop = new AbortController();
  const reading = ask({ streamAnswer, signal: stop.signal }).then(({ body }) => bytesOf(body as AnswerBody));
  await eventually('it is asked', () => server.connections[0]?.requests.length === 1);
  await sleep(20);
  const reason = new Error('the client left');
  stop.abort(reason);
  await expect(reading).rejects.toBe(reason);
  await eventually('it is closed', () => server.open() === 0 && agents.inUse() === 0);
});

test('a body that is closed unread closes its connection', async () => {
  const server = await rawServer(({ socket }) => socket.write(answerWith(HUNDRED).subarray(0, 50_000)));
  const { ask, agents } = clientOf(server);
  const { body } = await ask({ streamAnswer: true });
  await (body as AnswerBody).close();
  expect(agents.inUse()).toBe(0);
  await eventually('the server sees it', () => server.open() === 0);
});

test('a failure of the sink is passed on, and closes the connection', async () => {
  const server = await rawServer(({ socket }) => socket.write(answerWith(Buffer.alloc(3_000_000))));
  const { ask, agents } = clientOf(server);
  const { body } = await ask({ streamAnswer: true });
  const failure = new Error('the disk is full');
  const write = () => {
    throw failure;
  };
  await expect((body as AnswerBody).readInto({ write })).rejects.toBe(failure);
  expect(agents.inUse()).toBe(0);
});
