import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ByteSink } from '../bytes/byte-streams.ts';
import { someBytes } from '../drivers/conformance/subject.ts';
import { RequestBody } from './request-body.ts';
import { type Transfer, TransferWatch } from './transfer-watch.ts';

const bytes = someBytes(3_000_000);
const RULES = { progressPeriodMs: 60_000, progressBytes: 1 };
const watch = new TransferWatch(RULES, () => undefined);
const stop = new AbortController();

let server: Server;
let socket: Socket;
beforeEach(async () => {
  server = createServer({ keepAliveTimeout: 100 }).listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterEach(() => {
  socket.destroy();
  server.close();
});

/** The body of a request that sends so many of the bytes. */
async function bodyOf(
  sent = bytes.length,
  signal = stop.signal,
): Promise<{ body: RequestBody; request: IncomingMessage; transfer: Transfer }> {
  const arrived = once(server, 'request');
  socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  socket.on('error', () => {});
  socket.write(`PUT / HTTP/1.1\r\nHost: a\r\nContent-Length: ${bytes.length}\r\n\r\n`);
  socket.write(bytes.subarray(0, sent));
  const [request] = (await arrived) as [IncomingMessage];
  const transfer = watch.begin({ peer: 'a', units: 1, onExpired: () => {} });
  return { body: new RequestBody(request, transfer, signal), request, transfer };
}

test('lends each chunk, and frees it once the sink has used it', async () => {
  const { body } = await bodyOf();
  const lent: Buffer[] = [];
  const copies: Buffer[] = [];
  await body.readInto({
    write(chunk) {
      expect(lent.every(({ length }) => length === 0)).toBe(true);
      lent.push(chunk);
      copies.push(Buffer.from(chunk));
      return undefined;
    },
  });
  expect(Buffer.concat(copies).equals(bytes)).toBe(true);
  expect(lent.every(({ length }) => length === 0)).toBe(true);
});

test('leaves a chunk as it is while the sink is busy with it, and sends no other chunk', async () => {
  const { body } = await bodyOf();
  const copies: Buffer[] = [];
  let isBusy = false;
  await body.readInto({
    async write(chunk) {
      expect(isBusy).toBe(false);
      isBusy = true;
      const { length } = chunk;
      await new Promise((resolve) => setTimeout(resolve, copies.length < 5 ? 20 : 0));
      expect(chunk.length).toBe(length);
      copies.push(Buffer.from(chunk));
      isBusy = false;
    },
  });
  expect(Buffer.concat(copies).equals(bytes)).toBe(true);
});

test.each<[string, ByteSink['write']]>([
  ['throws', throwLeft],
  ['rejects', async () => throwLeft()],
  [
    'rejects later',
    () => new Promise((_resolve, reject) => setTimeout(() => reject(new Error('no more')), 20)),
  ],
])('a sink that %s gets no other chunk, and its chunk is not freed', async (_title, write) => {
  const { body, request } = await bodyOf();
  const lent: Buffer[] = [];
  const reading = body.readInto({
    write(chunk) {
      lent.push(chunk);
      return write(chunk);
    },
  });
  await expect(reading).rejects.toThrow('no more');
  expect(lent.length).toBe(1);
  expect(lent[0]?.length).toBeGreaterThan(0);
  await eventually('what the client still sends is thrown away', async () => request.complete);
  expect(lent.length).toBe(1);
});

test.each([0, 100_000, bytes.length - 1])(
  'a client that leaves after %i bytes is an error, once the sink is no longer busy',
  async (sent) => {
    const { body } = await bodyOf(sent);
    let taken = 0;
    let isBusy = false;
    const reading = body.readInto({
      async write(chunk) {
        isBusy = true;
        taken += chunk.length;
        await new Promise((resolve) => setTimeout(resolve, 10));
        isBusy = false;
      },
    });
    reading.catch(() => {});
    await eventually('all has arrived', async () => taken === sent);
    socket.resetAndDestroy();
    await expect(reading).rejects.toMatchObject({ code: 'body_incomplete' });
    expect(isBusy).toBe(false);
    expect(taken).toBe(sent);
  },
);

test('an aborted signal ends the reading with its reason: before, in, and between writes', async () => {
  const reason = new Error('too slow');
  const before = await bodyOf(0, AbortSignal.abort(reason));
  await expect(before.body.readInto({ write: () => undefined })).rejects.toBe(reason);
  for (const busyMs of [0, 50]) {
    socket.destroy();
    const aborted = new AbortController();
    const { body } = await bodyOf(bytes.length - 1, aborted.signal);
    let isBusy = false;
    const reading = body.readInto({
      async write() {
        isBusy = true;
        setImmediate(() => aborted.abort(reason));
        await new Promise((resolve) => setTimeout(resolve, busyMs));
        isBusy = false;
      },
    });
    await expect(reading).rejects.toBe(reason);
    expect(isBusy).toBe(false);
  }
});

test('nothing is taken from the request before it is read', async () => {
  const { body, request } = await bodyOf();
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(request.isPaused() || !request.readableFlowing).toBe(true);
  expect(request.readableDidRead).toBe(false);
  await body.readInto({ write: () => undefined });
});

function throwLeft(): never {
  throw new Error('no more');
}

test('a peer that has sent its whole body is waited for no more, however long that takes to store', async () => {
  const { body, transfer } = await bodyOf();
  await body.readInto({ write: () => undefined });
  const waited = () => {
    transfer.judge(performance.now(), RULES);
    return transfer.age;
  };
  const before = waited();
  await new Promise((resolve) => setTimeout(resolve, 30));
  expect(waited()).toBe(before);
});
