import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { CollectedAnswer } from '../../http-client/collected-answer.ts';
import { factsOf, inChunks, never, putInto, someBytes, someName } from '../conformance/subject.ts';
import { type Script, scriptedServer } from './scripted-server.fixture.ts';

const name = someName('transport');
const bytes = someBytes(4 * 1024 * 1024);
const put = (driver: import('../object-store/object-store-driver.ts').ObjectStoreDriver, signal = never()) =>
  putInto(driver, name, inChunks(bytes), factsOf(bytes), { signal });

/** As many bytes as are handed over in two pieces. */
const PIECES = 1024 * 1024;

const silent: Script = () => {};
const halfOfAnObject: Script = ({ response }) => {
  response.writeHead(200, { 'Content-Length': String(bytes.length) }).write(bytes.subarray(0, PIECES));
};

describe('a call that is aborted', () => {
  const reason = new Error('the client left');

  test.each<[string, Script, number]>([
    ['while its body in memory is answered', silent, 8 * 1024 * 1024],
    ['while its body streams', ({ response }) => response.writeContinue(), 0],
  ])(
    'rejects at once with the reason, and holds no connection: %s',
    async (_title, script, inMemoryLimit) => {
      const server = await scriptedServer((exchange) =>
        exchange.method === 'HEAD' ? exchange.response.writeHead(404).end() : script(exchange),
      );
      const stop = new AbortController();
      const putting = put(server.driver({ inMemoryLimit }), stop.signal);
      await eventually('the PUT is there', () => server.asked.some(({ method }) => method === 'PUT'));
      await sleep(50);
      stop.abort(reason);
      const started = performance.now();
      await expect(putting).rejects.toBe(reason);
      expect(performance.now() - started).toBeLessThan(4_000);
      await eventually('its connection has gone', async () => (await server.connections()) <= 1);
    },
  );

  test('ends it while it waits for the next attempt', async () => {
    const server = await scriptedServer(({ response }) =>
      response.writeHead(503, { 'Retry-After': '4' }).end('<Error><Code>SlowDown</Code></Error>'),
    );
    const stop = new AbortController();
    const opening = server.driver().open(name, stop.signal);
    await eventually('it was refused', () => server.asked.length === 1);
    await sleep(50);
    stop.abort(reason);
    const started = performance.now();
    await expect(opening).rejects.toBe(reason);
    expect(performance.now() - started).toBeLessThan(2_000);
  });

  test('ends it while its object is read', async () => {
    const server = await scriptedServer(halfOfAnObject);
    const stop = new AbortController();
    const blob = await server.driver().open(name, stop.signal);
    let taken = 0;
    const write = () => {
      taken += 1;
      if (taken === 1) setTimeout(() => stop.abort(reason), 100);
      return undefined;
    };
    await expect(blob?.readInto({ write })).rejects.toBe(reason);
    expect(taken).toBeGreaterThan(0);
    await eventually('its connection has gone', async () => (await server.connections()) === 0);
  });
});

test('64 calls at once share connections, and later ones use them again', async () => {
  const server = await scriptedServer(async ({ response, body }) => {
    await body();
    await sleep(20);
    response.end();
  });
  const driver = server.driver();
  const small = Buffer.from('small');
  const putSmall = (index: number) =>
    putInto(driver, someName(index), inChunks(small), factsOf(small), { signal: never() });
  for (let round = 0; round < 3; round += 1) {
    await Promise.all(Array.from({ length: 64 }, (_, index) => putSmall(index)));
    expect(await server.connections()).toBe(64);
  }
  await driver.close();
  await eventually('none is left', async () => (await server.connections()) === 0);
});

describe.concurrent('a storage that does not answer', () => {
  const servers: Server[] = [];
  const sockets: Socket[] = [];
  afterEach(() => {
    for (const socket of sockets) socket.destroy();
    for (const server of servers) server.close();
  });

  test('to the handshake ends after 5 s', async () => {
    const server = createServer((socket) => void sockets.push(socket.on('error', () => {})));
    servers.push(server.listen(0, '127.0.0.1'));
    await once(server, 'listening');
    const endpoint = `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
    const driver = (await scriptedServer(silent)).driver({ endpoint });
    await expect(driver.open(name, never())).rejects.toMatchObject({
      failure: 'timeout',
      message: expect.stringContaining('no connection within 5 seconds'),
    });
    expect(sockets).toHaveLength(1);
  });

  test('to a request ends after 8 s, before the readiness probe gives up', async () => {
    const server = await scriptedServer(silent);
    await expect(server.driver().open(name, never())).rejects.toMatchObject({
      failure: 'timeout',
      message: expect.stringContaining('no answer within 8 seconds'),
    });
    expect(server.asked).toHaveLength(1);
  });
});

describe('a storage that stops in the middle', () => {
  afterEach(() => {
    vi.useRealTimers();
  });
  const halfMinuteLater = async () => {
    await sleep(100);
    vi.advanceTimersByTime(31_000);
  };
  /** Half minutes go by until it has ended, however late a busy machine begins to wait. */
  const outcomeOf = async (call: Promise<unknown>, meanwhile = halfMinuteLater) => {
    const outcome = call.catch((error) => error);
    let waiting = true;
    outcome.then(() => {
      waiting = false;
    });
    while (waiting) await meanwhile();
    return outcome;
  };

  test('of its answer is given up after 30 s without a byte', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const server = await scriptedServer(halfOfAnObject);
    const blob = await server.driver().open(name, never());
    const second = Promise.withResolvers<void>();
    let taken = 0;
    const reading = blob?.readInto({
      async write() {
        taken += 1;
        // However long the reader takes, that is not the storage's fault.
        if (taken === 1) await halfMinuteLater();
        else second.resolve();
      },
    });
    await Promise.race([second.promise, reading]);
    expect(taken).toBe(2);
    expect(await outcomeOf(reading ?? Promise.resolve())).toMatchObject({
      failure: 'timeout',
      message: expect.stringContaining('no bytes within 30 seconds'),
    });
  });

  test('of telling, byte by byte, is given up after 30 s', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const trickles: NodeJS.Timeout[] = [];
    const server = await scriptedServer(({ response }) => {
      trickles.push(setInterval(() => response.write(' '), 5));
    });
    const take = vi.spyOn(CollectedAnswer.prototype, 'take');
    // Once the client has the head of an answer, in each of its attempts: before that it would be the head that it misses.
    const whenItAnswers = async () => {
      if (take.mock.calls.length > 0) vi.advanceTimersByTime(31_000);
      take.mockClear();
      await sleep(10);
    };
    try {
      const listing = server.driver().list('', never())[Symbol.asyncIterator]().next();
      expect(await outcomeOf(listing, whenItAnswers)).toMatchObject({
        failure: 'timeout',
        message: expect.stringContaining('no complete answer within 30 seconds'),
      });
    } finally {
      take.mockRestore();
      for (const trickle of trickles) clearInterval(trickle);
    }
  });

  test('of a body is given up after 30 s in which it takes no byte', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const server = await scriptedServer(({ method, response, request }) => {
      if (method === 'HEAD') return response.writeHead(404).end();
      response.writeContinue();
      return request.pause();
    });
    const large = someBytes(30 * 1024 * 1024);
    const putting = putInto(server.driver(), name, inChunks(large), factsOf(large), { signal: never() });
    expect(await outcomeOf(putting)).toMatchObject({
      failure: 'timeout',
      message: expect.stringContaining('no progress within 30 seconds'),
    });
  });

  test('a client that pauses for minutes is not the storage’s fault', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    const server = await scriptedServer(async ({ method, response, body }) => {
      if (method === 'HEAD') return response.writeHead(404).end();
      response.writeContinue();
      await body();
      return response.end();
    });
    const body = async function* () {
      yield* inChunks(bytes.subarray(0, bytes.length / 2));
      await halfMinuteLater();
      await halfMinuteLater();
      yield* inChunks(bytes.subarray(bytes.length / 2));
    };
    const driver = server.driver({ inMemoryLimit: 0 });
    expect(await putInto(driver, name, body(), factsOf(bytes), { signal: never() })).toBe('created');
  });
});
