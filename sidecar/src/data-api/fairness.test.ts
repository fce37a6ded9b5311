import { connect, type Socket } from 'node:net';
import { headText, RawConnection } from '@largepayload/testing/servers/raw-connection';
import { call, keyOf } from '@largepayload/testing/service/http-call';
import { generatedBytes, getPath, testPayload } from '@largepayload/testing/service/payload';
import { metric, startService, type TestService } from '@largepayload/testing/service/running-service';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { describe, expect, test } from 'vitest';

const MIB = 1024 * 1024;
/** Room for four large transfers. */
const LIMITS = { inFlightBytes: 4 * MIB };
/** More than fits between two sockets. */
const LARGE = testPayload(generatedBytes(32 * MIB));

async function stored(service: TestService, payload = LARGE): Promise<string> {
  const { putPath, putHeaders, bytes } = payload;
  return keyOf(await call(service.data, putPath, { method: 'PUT', headers: putHeaders, body: bytes }));
}

interface Slow extends Disposable {
  readonly closed: () => number;
}

/** Clients that move 4 KiB a second, or about as much, each from the address that it is given. */
async function slowClients(
  service: TestService,
  { key, addresses }: { key?: string; addresses: readonly string[] },
): Promise<Slow> {
  const { hostname, port } = new URL(`http://${service.data}`);
  const head =
    key === undefined
      ? headText(`PUT ${LARGE.putPath} HTTP/1.1`, { ...LARGE.putHeaders, 'Content-Length': '1000000000' })
      : headText(`GET ${getPath(key)} HTTP/1.1`, LARGE.getHeaders);
  let closed = 0;
  const sockets = addresses.map((localAddress): Socket => {
    const socket = connect({ host: hostname, port: Number(port), localAddress }, () => socket.write(head));
    socket
      .on('error', () => {})
      .on('close', () => {
        closed += 1;
      });
    if (key === undefined) socket.on('data', () => {});
    else socket.pause();
    return socket;
  });
  const moving = setInterval(() => {
    for (const socket of sockets) {
      if (key === undefined) socket.write('x'.repeat(1_024));
      else if (socket.read(1_024) === null) socket.read();
    }
  }, 250);
  const used = async () =>
    (await metric(service, 'payload_store_in_flight_bytes')) > LIMITS.inFlightBytes - 2 * MIB;
  await eventually('the memory of transfers is used', used);
  return {
    closed: () => closed,
    [Symbol.dispose]: () => {
      clearInterval(moving);
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** PUTs and GETs in turn, each of another payload. */
async function ofHundred(service: TestService): Promise<number> {
  let served = 0;
  for (let index = 0; index < 50; index += 1) {
    const payload = testPayload(`${index}`.repeat(1_000));
    const key = await stored(service, payload).catch(() => undefined);
    if (key === undefined) continue;
    served += 1;
    const got = await call(service.data, getPath(key), { headers: payload.getHeaders }).catch(
      () => undefined,
    );
    if (got?.status === 200) served += 1;
  }
  return served;
}

const ONE_ADDRESS = Array.from({ length: 24 }, () => '127.0.0.2');
const OURS = Array.from({ length: 24 }, () => '127.0.0.1');
const MANY_ADDRESSES = Array.from({ length: 24 }, (_, index) => `127.0.1.${index + 1}`);

describe.concurrent('beside slow clients that hold the memory of all transfers', () => {
  test.each([
    ['readers at one address', ONE_ADDRESS, true],
    ['readers at the address of the others', OURS, true],
    ['readers at many addresses', MANY_ADDRESSES, true],
    ['writers at one address', ONE_ADDRESS, false],
    ['writers at many addresses', MANY_ADDRESSES, false],
  ])('others are served: %s', async (_name, addresses, read) => {
    await using service = await startService({ limits: LIMITS });
    const key = read ? await stored(service) : undefined;
    using _slow = await slowClients(service, { ...(key && { key }), addresses });
    expect(await ofHundred(service)).toBeGreaterThanOrEqual(95);
  });
});

test.concurrent('a slow client keeps its place while no other client waits', async () => {
  await using service = await startService({ limits: LIMITS });
  const key = await stored(service);
  using slow = await slowClients(service, { key, addresses: ONE_ADDRESS.slice(0, 3) });
  expect(await ofHundred(service)).toBe(100);
  expect(slow.closed()).toBe(0);
});

test.concurrent('a client with many transfers delays itself, and not the others', async () => {
  await using service = await startService({ limits: { ...LIMITS, waitTimeMs: 60_000 } });
  // Fits between two sockets, so that a busy machine does not make this client a slow one.
  const large = testPayload(generatedBytes(MIB));
  let answered = 0;
  const busy = Array.from({ length: 40 }, async () => {
    const answer = await call(service.data, large.putPath, {
      ...{ method: 'PUT', headers: large.putHeaders, body: large.bytes },
    });
    answered += 1;
    return answer.status;
  });
  const { hostname, port } = new URL(`http://${service.data}`);
  const { putPath, putHeaders, bytes } = testPayload('of another');
  const socket = connect({ host: hostname, port: Number(port), localAddress: '127.0.0.9' });
  const other = await new Promise<string>((resolve, reject) => {
    socket.once('data', (data) => resolve(data.toString())).once('error', reject);
    socket.write(Buffer.concat([Buffer.from(headText(`PUT ${putPath} HTTP/1.1`, putHeaders)), bytes]));
  });
  expect(other).toMatch('HTTP/1.1 201 ');
  expect(answered).toBeLessThan(40);
  socket.destroy();
  expect(new Set(await Promise.all(busy))).toEqual(new Set([200, 201]));
});

test.concurrent('a client that leaves the line is not waited for', async () => {
  await using service = await startService({ limits: { inFlightBytes: MIB, waitTimeMs: 60_000 } });
  await using holding = await RawConnection.open(service.data);
  await holding.sendHead(`PUT ${LARGE.putPath} HTTP/1.1`, LARGE.putHeaders);
  await eventually(
    'it holds all',
    async () => (await metric(service, 'payload_store_in_flight_bytes')) === MIB,
  );
  await using leaving = await RawConnection.open(service.data);
  await leaving.sendHead(`PUT ${LARGE.putPath} HTTP/1.1`, LARGE.putHeaders);
  leaving.socket.resetAndDestroy();
  expect(await ofHundred(service)).toBe(100);
});
