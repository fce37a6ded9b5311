import { testAuthority } from '@largepayload/testing/tls/test-authority';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { expect, onTestFinished, test, vi } from 'vitest';
import { directAgents } from './direct-agents.ts';
import { exchange } from './exchange.ts';
import type { Limits } from './limits.ts';
import { answerWith, type RawScript, rawServer } from './raw-server.fixture.ts';
import type { TransportOptions } from './transport.ts';

const hello: RawScript = ({ socket }) => socket.write(answerWith('hello'));

function clientOf({ port }: { readonly port: number }, limits: Partial<Limits> = {}) {
  const agents = directAgents({ hostname: 'localhost', port }, limits);
  onTestFinished(() => agents.close());
  const to = (protocol: string) => ({ protocol, hostname: 'localhost', port, path: '/', headers: {} });
  return {
    agents,
    ask: (options: TransportOptions = {}, protocol = 'http:') =>
      exchange(agents, { ...to(protocol), method: 'GET' }, options),
  };
}

test('a request that wants a new connection gets one, and the kept ones stay', async () => {
  const server = await rawServer(hello);
  const { ask } = clientOf(server);
  await ask();
  await ask();
  expect(server.connections).toHaveLength(1);
  await ask({ freshConnection: true });
  expect(server.connections).toHaveLength(2);
  expect(server.open()).toBe(2);
});

test('kept connections are closed on request, and none that is in use', async () => {
  const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
  const server = await rawServer(async (connection) => {
    if (server.connections.length === 2) await answered;
    hello(connection, '');
  });
  const { ask, agents } = clientOf(server);
  await ask();
  const slow = ask({ freshConnection: true });
  await eventually('both are open', () => server.open() === 2);
  agents.closeIdle();
  await eventually('the kept one is closed', () => server.open() === 1);
  answer();
  expect((await slow).body.toString()).toBe('hello');
  await ask();
  expect(server.connections).toHaveLength(2);
});

test('connections that began together grow old one after the other', async () => {
  vi.useFakeTimers({ toFake: ['performance'] });
  onTestFinished(() => void vi.useRealTimers());
  const server = await rawServer(hello);
  const { ask } = clientOf(server, { ageMs: 1_000, ageJitter: 0.5 });
  const useAll = () => Promise.all(Array.from({ length: 40 }, () => ask()));
  await useAll();
  vi.advanceTimersByTime(499);
  await useAll();
  expect(server.connections).toHaveLength(40);
  expect(server.open()).toBe(40);
  vi.advanceTimersByTime(250);
  await useAll();
  await eventually('some are closed', () => server.open() < 40);
  expect(server.open()).toBeGreaterThan(0);
  vi.advanceTimersByTime(251);
  await useAll();
  await eventually('all of the first are closed', () =>
    server.connections.slice(0, 40).every(({ socket }) => socket.destroyed),
  );
});

test('new connections trust the authorities that were chosen last, and open ones go on', async () => {
  const [one, two] = [testAuthority('one'), testAuthority('two')];
  const { certificate: cert, key } = one.issue();
  const server = await rawServer(hello, { cert, key });
  const { ask, agents } = clientOf(server);
  agents.trust(one.certificate);
  await ask({}, 'https:');
  agents.trust(two.certificate);
  expect((await ask({}, 'https:')).statusCode).toBe(200);
  await expect(ask({ freshConnection: true }, 'https:')).rejects.toMatchObject({
    code: expect.stringMatching(/UNABLE_TO|SELF_SIGNED/),
  });
  agents.trust(one.certificate);
  expect((await ask({ freshConnection: true }, 'https:')).statusCode).toBe(200);
});

test('nothing is sent over TLS before authorities were chosen', async () => {
  const server = await rawServer(hello);
  const { ask } = clientOf(server);
  await expect(ask({}, 'https:')).rejects.toThrow('no authorities were chosen');
  expect(server.connections).toEqual([]);
});
