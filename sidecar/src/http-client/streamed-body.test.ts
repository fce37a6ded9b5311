import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { BODY_BUFFERS } from '../bytes/buffer-pool.ts';
import { bytesOf } from '../bytes/byte-streams.ts';
import { answerWith, clientOf, rawServer } from './raw-server.fixture.ts';
import { SCRATCH } from './scratch.ts';
import { StreamedBody } from './streamed-body.ts';
import type { AnswerBody } from './transport.ts';

const MIB = 1024 * 1024;
const noise = (size: number) =>
  Buffer.from(Array.from({ length: size }, (_, at) => (at * 31 + (at >> 8)) & 0xff));

async function bodyFrom(content: Buffer, limits = {}) {
  const server = await rawServer(({ socket }) => socket.write(answerWith(content)));
  const client = clientOf(server, limits);
  return { server, client, body: (await client.ask({ streamAnswer: true })).body as AnswerBody };
}

test.each([0, 1, 65_535, 128 * 1024, 128 * 1024 + 1, MIB - 1, MIB])(
  'a body of %d bytes comes in one piece',
  async (size) => {
    const content = noise(size);
    const { body } = await bodyFrom(content);
    const pieces: Buffer[] = [];
    await body.readInto({ write: (chunk) => void pieces.push(Buffer.from(chunk)) as undefined });
    expect(pieces.map(({ length }) => length)).toEqual(size === 0 ? [] : [size]);
    expect(Buffer.concat(pieces).equals(content)).toBe(true);
  },
);

test.each([MIB + 1, 5 * MIB + 77])(
  'a body of %d bytes comes in pieces of at most 512 KiB, in order',
  async (size) => {
    const content = noise(size);
    const { body, client } = await bodyFrom(content);
    const pieces: Buffer[] = [];
    const write = async (chunk: Buffer) => {
      await sleep(1);
      pieces.push(Buffer.from(chunk));
    };
    await body.readInto({ write });
    expect(Math.max(...pieces.map(({ length }) => length))).toBeLessThanOrEqual(512 * 1024);
    expect(Buffer.concat(pieces).equals(content)).toBe(true);
    expect(client.agents.inUse()).toBe(0);
  },
);

test('a piece is not touched before its write has ended, and a slow sink stops the service', async () => {
  const content = noise(24 * MIB);
  const { body, server, client } = await bodyFrom(content, { idleMs: 100 });
  const pieces: Buffer[] = [];
  let isFirst = true;
  const write = async (chunk: Buffer) => {
    const before = Buffer.from(chunk);
    // Longer than the limit for a silent service: the sink's time does not count.
    await sleep(isFirst ? 400 : 0);
    if (isFirst) expect(server.connections[0]?.socket.writableLength).toBeGreaterThan(14 * MIB);
    isFirst = false;
    expect(chunk.equals(before)).toBe(true);
    pieces.push(before);
  };
  await body.readInto({ write });
  expect(Buffer.concat(pieces).equals(content)).toBe(true);
  expect(client.agents.inUse()).toBe(0);
});

test('what a slow service has sent is handed over after a second, and the rest when it comes', async () => {
  const content = noise(200_000);
  const all = answerWith(content);
  const server = await rawServer(({ socket }) => {
    socket.write(all.subarray(0, 50_000));
    setTimeout(() => socket.write(all.subarray(50_000)), 1_500);
  });
  const { body } = await clientOf(server).ask({ streamAnswer: true });
  const pieces: Buffer[] = [];
  await (body as AnswerBody).readInto({
    write: (chunk) => void pieces.push(Buffer.from(chunk)) as undefined,
  });
  expect(pieces.length).toBeGreaterThan(1);
  expect(Buffer.concat(pieces).equals(content)).toBe(true);
});

test('two bodies that are read at the same time do not share memory', async () => {
  const contents = [noise(3 * MIB), noise(3 * MIB).reverse()];
  const server = await rawServer(({ socket }, head) =>
    socket.write(answerWith(contents[head.startsWith('GET /1 ') ? 1 : 0] as Buffer)),
  );
  const { ask } = clientOf(server);
  const read = async (index: number) => {
    const { body } = await ask({ streamAnswer: true }, { path: `/${index}` });
    return await bytesOf(body as AnswerBody);
  };
  for (let round = 0; round < 5; round += 1) {
    const got = await Promise.all([read(0), read(1), read(0), read(1)]);
    for (const [index, bytes] of got.entries())
      expect(bytes.equals(contents[index % 2] as Buffer)).toBe(true);
  }
});

test('a body pauses at its second buffer, also where each read fills a whole one', () => {
  const connection = { resume: () => {}, close: async () => {} };
  const body = new StreamedBody(4 * MIB, connection, 1_000, undefined);
  const pauses = [1, 2].map(() => {
    body.take(body.space());
    return body.isPaused;
  });
  expect(pauses).toEqual([false, true]);
  expect(body.space()).toBe(SCRATCH);
});

test('a buffer of which a sink may still hold a part does not go back to the pool', async () => {
  const connection = { resume: () => {}, close: async () => {} };
  const body = new StreamedBody(200_000, connection, 10, undefined);
  body.take(body.space().subarray(0, 50_000));
  const kept = BODY_BUFFERS.keptBytes;
  const refusing = Promise.withResolvers<void>();
  const lent = Promise.withResolvers<void>();
  const write = () => {
    lent.resolve();
    return refusing.promise;
  };
  const reading = body.readInto({ write });
  await lent.promise;
  body.take(body.space().subarray(0, 150_000));
  refusing.reject(new Error('it failed'));
  await expect(reading).rejects.toThrow('it failed');
  expect(BODY_BUFFERS.keptBytes).toBe(kept);
});
