import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { expect, test } from 'vitest';
import { answerWith, clientOf, type RawScript, rawServer } from './raw-server.fixture.ts';

const hello: RawScript = ({ socket }) => socket.write(answerWith('hello'));
const EVIL = answerWith('evil');

test('one connection serves one request after the other, and the one used last is used first', async () => {
  const server = await rawServer(hello);
  const { ask, agents } = clientOf(server);
  await Promise.all([ask(), ask(), ask()]);
  for (let count = 0; count < 5; count += 1) expect((await ask()).body.toString()).toBe('hello');
  expect(server.connections.map(({ requests }) => requests.length).sort()).toEqual([1, 1, 6]);
  expect(agents.inUse()).toBe(0);
});

test.each<[string, RawScript]>([
  ['surplus bytes behind the body', ({ socket }) => socket.write(Buffer.concat([answerWith('hello'), EVIL]))],
  ['Connection: close', ({ socket }) => socket.write(answerWith('hello', 'Connection: close\r\n'))],
  ['Keep-Alive: timeout=1', ({ socket }) => socket.write(answerWith('hello', 'Keep-Alive: timeout=1\r\n'))],
  ['HTTP/1.0', ({ socket }) => socket.write(answerWith('hello').toString().replace('1.1', '1.0'))],
])(
  'the connection is closed after an answer with %s, and the next request uses another one',
  async (_title, script) => {
    const server = await rawServer(script);
    const { ask } = clientOf(server);
    for (let count = 1; count <= 3; count += 1) {
      expect((await ask()).body.toString()).toBe('hello');
      await eventually('it is closed', () => server.open() === 0);
      expect(server.connections).toHaveLength(count);
    }
  },
);

test('an unused connection is closed a second before the service says that it closes it', async () => {
  const server = await rawServer(({ socket }) =>
    socket.write(answerWith('hello', 'Keep-Alive: max=100, timeout=2\r\n')),
  );
  const { ask } = clientOf(server, { keptMs: 600_000 });
  await ask();
  await ask();
  expect(server.connections).toHaveLength(1);
  await eventually('it is closed', () => server.open() === 0);
});

test('bytes that arrive on an idle connection close it, and are not taken for the answer to the next request', async () => {
  const server = await rawServer(({ socket, requests }) => {
    socket.write(answerWith('hello'));
    if (requests.length === 1) setTimeout(() => socket.write(EVIL), 30);
  });
  const { ask } = clientOf(server);
  expect((await ask()).body.toString()).toBe('hello');
  await eventually('it is closed', () => server.open() === 0);
  expect((await ask()).body.toString()).toBe('hello');
});

test.each(['end', 'resetAndDestroy'] as const)(
  'a kept connection that the server has closed (%s) is not used again',
  async (close) => {
    const server = await rawServer(({ socket }) => {
      socket.write(answerWith('hello'));
      setTimeout(() => socket[close](), 20);
    });
    const { ask } = clientOf(server);
    for (let count = 0; count < 3; count += 1) {
      expect((await ask()).body.toString()).toBe('hello');
      await eventually('it is closed', () => server.open() === 0);
      // The client has to see it too.
      await sleep(50);
    }
  },
);

test('a kept connection that closes on a request fails with an error that callers retry, and nothing is sent twice', async () => {
  const server = await rawServer(({ socket, requests }) => {
    if (requests.length === 1) socket.write(answerWith('hello'));
    else socket.destroy();
  });
  const { ask } = clientOf(server);
  await ask();
  await expect(ask()).rejects.toMatchObject({ code: 'ECONNRESET' });
  expect(server.connections.flatMap(({ requests }) => requests)).toHaveLength(2);
});

test('requests beyond the limit of connections wait, and an aborted request stops waiting', async () => {
  const server = await rawServer(({ socket }) => setTimeout(() => socket.write(answerWith('hello')), 50));
  const { ask, agents } = clientOf(server, { connections: 2 });
  const stop = new AbortController();
  const first = [ask(), ask()];
  const aborted = ask({ signal: stop.signal });
  const later = [ask(), ask(), ask()];
  stop.abort(new Error('the client left'));
  await expect(aborted).rejects.toThrow('the client left');
  await Promise.all([...first, ...later]);
  expect(server.connections).toHaveLength(2);
  expect(agents.inUse()).toBe(0);
});

test('a request that waits too long for a connection fails, as if no connection could be opened', async () => {
  const server = await rawServer(() => {});
  const { ask, agents } = clientOf(server, { connections: 1, connectMs: 1_000, answerMs: 60_000 });
  const first = ask();
  await eventually('it is asked', () => server.connections[0]?.requests.length === 1);
  await expect(ask()).rejects.toMatchObject({
    code: 'ETIMEDOUT',
    message: 'no connection within 1 seconds',
  });
  agents.close();
  await expect(first).rejects.toMatchObject({ code: 'ECONNRESET' });
});

test('unused connections are closed in time, and no more are kept than allowed', async () => {
  const server = await rawServer(({ socket }) => setTimeout(() => socket.write(answerWith('hello')), 20));
  const { ask } = clientOf(server, { kept: 2, keptMs: 300 });
  await Promise.all([ask(), ask(), ask(), ask(), ask()]);
  await eventually('two are kept', () => server.open() === 2);
  await eventually('none is left', () => server.open() === 0);
});

test('a connection that is too old serves no further request', async () => {
  const server = await rawServer(hello);
  const { ask } = clientOf(server, { ageMs: 0 });
  await ask();
  await ask();
  expect(server.connections).toHaveLength(2);
});

test('an unused connection does not keep the process running', async () => {
  const server = await rawServer(hello);
  const script = `
    import { exchange } from ${JSON.stringify(new URL('./exchange.ts', import.meta.url).href)};
    import { httpAgents } from ${JSON.stringify(new URL('./http-agents.ts', import.meta.url).href)};
    const request = { protocol: 'http:', hostname: '127.0.0.1', port: ${server.port}, method: 'GET', path: '/', headers: {} };
    console.log((await exchange(httpAgents(undefined), request, {})).body.toString());`;
  const { spawn } = await import('node:child_process');
  const started = performance.now();
  const child = spawn(process.execPath, [
    '--conditions=largepayload-source',
    '--input-type=module',
    '-e',
    script,
  ]);
  const [text] = (await once(child.stdout, 'data')) as [Buffer];
  const answered = performance.now() - started;
  await once(child, 'close');
  expect(text.toString()).toBe('hello\n');
  // The connection would be kept for 15 s.
  expect(performance.now() - started - answered).toBeLessThan(10_000);
});
