import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { LargePayloadCodec } from '@largepayload/codec';
import { freePorts } from '@largepayload/testing/processes/free-port';
import { shiftedClock } from '@largepayload/testing/processes/shifted-clock';
import { tcpBalancer } from '@largepayload/testing/servers/tcp-balancer';
import { tcpProxy } from '@largepayload/testing/servers/tcp-proxy';
import { call, keyOf } from '@largepayload/testing/service/http-call';
import {
  generatedBytes,
  getPath,
  type TestPayload,
  testPayload,
} from '@largepayload/testing/service/payload';
import { realProgram, type ServingProcess } from '@largepayload/testing/service/real-program';
import { writeCertificateSecret } from '@largepayload/testing/tls/secret-folder';
import { testAuthority } from '@largepayload/testing/tls/test-authority';
import { eventually, within } from '@largepayload/testing/waiting/eventually';
import type { Payload } from '@temporalio/common';
import { describe, expect, onTestFinished, test } from 'vitest';

const MIB = 1024 * 1024;
const HOUR = 60 * 60 * 1_000;

const { serve, sidecar, newFolder } = realProgram();
const authority = testAuthority();

/** Gateways of one store on one folder, with TLS. */
async function gatewaysOf(folder: string, count: number): Promise<ServingProcess[]> {
  const tls = await newFolder(`${folder}-tls`);
  await writeCertificateSecret(tls, authority.issue());
  const dataFolder = await newFolder(folder);
  const gateways = [];
  for (let index = 0; index < count; index += 1) {
    const gateway = await serve({ role: 'gateway', dataFolder, ttl: '30d', args: ['--tls-dir', tls] });
    await eventually('it is ready', async () => (await call(gateway.metrics, '/readyz')).status === 200);
    onTestFinished(() => gateway[Symbol.asyncDispose]());
    gateways.push(gateway);
  }
  return gateways;
}

/** What a sidecar is started with to trust the gateways. */
async function trusting(folder: string): Promise<readonly string[]> {
  const files = await newFolder(`${folder}-files`);
  await writeFile(join(files, 'ca.crt'), authority.certificate);
  await writeFile(join(files, 'token'), 'a.b.c');
  return ['--ca-file', join(files, 'ca.crt'), '--token-file', join(files, 'token')];
}

const portOf = (address: string) => Number(address.split(':').at(-1));
const put = (to: ServingProcess, { putPath, putHeaders, bytes }: TestPayload) =>
  call(to.data, putPath, { method: 'PUT', headers: putHeaders, body: bytes });
const get = (from: ServingProcess, key: string, { getHeaders }: TestPayload) =>
  call(from.data, getPath(key), { headers: getHeaders });

function codecTo(address: string, options = {}) {
  return new LargePayloadCodec({ url: `http://${address}`, namespace: 'orders', ...options });
}

function payloadOf(seed: number, size = 300_000): Payload {
  const metadata = { encoding: Buffer.from('binary/plain') };
  return { metadata, data: generatedBytes(size, seed) };
}

describe('a gateway that is killed', () => {
  test('in the middle of a PUT costs the worker nothing: the sidecar sends the body to another one', async () => {
    const [first, second] = (await gatewaysOf('killed-put', 2)) as [ServingProcess, ServingProcess];
    await using balancer = await tcpBalancer(portOf(first.data), portOf(second.data));
    await using beside = await sidecar(`https://localhost:${balancer.port}`, {
      args: await trusting('killed-put'),
    });
    const payload = testPayload(generatedBytes(6 * MIB));
    const held = balancer.holdAfter(portOf(first.data), 2 * MIB);
    const answer = put(beside, payload);
    await held;
    first.process.kill('SIGKILL');
    expect((await answer).status).toBe(201);
    const got = await get(second, keyOf(await answer), payload);
    expect(got.body.equals(payload.bytes)).toBe(true);
  });

  test('in the middle of a GET breaks the body off, and the codec gets it from another one', async () => {
    const [first, second] = (await gatewaysOf('killed-get', 2)) as [ServingProcess, ServingProcess];
    const payload = payloadOf(1, 64 * MIB);
    const references = await codecTo(second.data).encode([payload]);
    await using balancer = await tcpBalancer(portOf(first.data), portOf(second.data));
    await using beside = await sidecar(`https://localhost:${balancer.port}`, {
      args: await trusting('killed-get'),
    });
    const { key, size } = JSON.parse(Buffer.from(references[0]?.data ?? []).toString());
    const worker = connect(portOf(beside.data), '127.0.0.1');
    const headers = Object.entries(testPayload('').getHeaders).map(
      ([name, value]) => `${name}: ${value}\r\n`,
    );
    const head = headers.join('').replace(/Length: 0/, `Length: ${size}`);
    worker.write(`GET ${getPath(key)} HTTP/1.1\r\nHost: x\r\n${head}\r\n`);
    let received = ((await once(worker, 'data')) as [Buffer])[0].length;
    worker.pause();
    first.process.kill('SIGKILL');
    await first.exited;
    worker
      .on('error', () => {})
      .on('data', (chunk) => {
        received += chunk.length;
      })
      .resume();
    await within(30_000, 'the end of the connection', once(worker, 'close'));
    expect(received).toBeLessThan(size);
    balancer.use([portOf(second.data)]);
    const [back] = await codecTo(beside.data).decode(references);
    expect(Buffer.from(back?.data ?? []).equals(payload.data as Buffer)).toBe(true);
  });
});

test('one of two gateways that is black-holed delays a worker, and fails nothing', async () => {
  const [first, second] = (await gatewaysOf('black-hole', 2)) as [ServingProcess, ServingProcess];
  await using wire = await tcpProxy(portOf(first.data));
  await using balancer = await tcpBalancer(wire.port, portOf(second.data));
  await using beside = await sidecar(`https://localhost:${balancer.port}`, {
    args: await trusting('black-hole'),
  });
  const codec = codecTo(beside.data);
  // Both have kept connections.
  await Promise.all([1, 2, 3, 4].map((seed) => codec.encode([payloadOf(seed)])));
  wire.hang();
  for (let seed = 10; seed < 13; seed += 1) {
    const answer = put(beside, testPayload(generatedBytes(300_000, seed)));
    expect([201, 503]).toContain((await within(30_000, 'an answer', answer)).status);
  }
  const payloads = [20, 21].map((seed) => payloadOf(seed));
  const references = await codec.encode(payloads);
  const back = await codec.decode(references);
  expect(back.map(({ data }) => Buffer.from(data ?? []))).toEqual(payloads.map(({ data }) => data));
});

test('all gateways are gone for a while, and a worker that writes does not notice', async () => {
  const [gateway] = (await gatewaysOf('gone', 1)) as [ServingProcess];
  await using balancer = await tcpBalancer(portOf(gateway.data));
  await using beside = await sidecar(`https://localhost:${balancer.port}`, { args: await trusting('gone') });
  const codec = codecTo(beside.data, { retryTimeoutMs: 60_000 });
  balancer.use([]);
  gateway.process.kill('SIGKILL');
  await gateway.exited;
  const encoding = codec.encode([payloadOf(1), payloadOf(2)]);
  const answer = await put(beside, testPayload('some bytes'));
  expect({ status: answer.status, body: answer.body.toString() }).toMatchObject({
    status: 503,
    body: expect.stringContaining('gateway_unreachable'),
  });
  expect((await call(beside.metrics, '/healthz')).status).toBe(200);
  await sleep(3_000);
  const [next] = (await gatewaysOf('gone', 1)) as [ServingProcess];
  balancer.use([portOf(next.data)]);
  const back = await codec.decode(await within(60_000, 'the references', encoding));
  expect(back.map(({ data }) => data?.length)).toEqual([300_000, 300_000]);
});

test('a sidecar whose clock is off by an hour stores and reads', async () => {
  const [gateway] = (await gatewaysOf('clock', 1)) as [ServingProcess];
  const payload = testPayload('some bytes');
  const key = keyOf(await put(gateway, payload));
  for (const offset of [-HOUR, HOUR]) {
    const { nodeOptions } = await shiftedClock(await newFolder(`clock${offset}`), offset);
    const url = `https://localhost:${portOf(gateway.data)}`;
    await using beside = await sidecar(url, { args: await trusting('clock'), nodeOptions });
    const stored = await put(beside, payload);
    expect({ status: stored.status, key: keyOf(stored) }).toEqual({ status: 200, key });
    expect((await get(beside, key, payload)).body.toString()).toBe('some bytes');
  }
});

test('a sidecar that is killed again and again loses nothing that it acknowledged', async () => {
  const [gateway] = (await gatewaysOf('killed', 1)) as [ServingProcess];
  const args = await trusting('killed');
  const [data = 0, metrics = 0] = await freePorts(2);
  const ports = ['--listen', `127.0.0.1:${data}`, '--metrics-listen', `127.0.0.1:${metrics}`];
  const start = async () => {
    const started = await sidecar(`https://localhost:${portOf(gateway.data)}`, { args, ports });
    onTestFinished(() => started[Symbol.asyncDispose]());
    return started;
  };
  let beside = await start();
  const codec = codecTo(`127.0.0.1:${data}`, { retryTimeoutMs: 60_000 });
  const stored: { seed: number; reference: Payload }[] = [];
  let isOver = false;
  const write = async (first: number) => {
    for (let seed = first; !isOver; seed += 10) {
      const [reference] = await codec.encode([payloadOf(seed, 2 * MIB)]);
      stored.push({ seed, reference: reference as Payload });
    }
  };
  const writing = [1, 2, 3].map(write);
  for (let kills = 0; kills < 2; kills += 1) {
    const before = stored.length;
    await eventually('it stores', () => stored.length > before + 3);
    beside.process.kill('SIGKILL');
    await beside.exited;
    beside = await start();
  }
  isOver = true;
  await Promise.all(writing);
  const direct = codecTo(gateway.data);
  for (const { seed, reference } of stored) {
    const [back] = await direct.decode([reference]);
    expect(Buffer.from(back?.data ?? []).equals(payloadOf(seed, 2 * MIB).data as Buffer)).toBe(true);
  }
});
