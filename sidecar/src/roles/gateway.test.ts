import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { putTimeLimit } from '@largepayload/crds';
import { RawConnection } from '@largepayload/testing/servers/raw-connection';
import { refusesConnections } from '@largepayload/testing/servers/refuses-connections';
import { call, expectError, keyOf } from '@largepayload/testing/service/http-call';
import { generatedBytes, getPath, testPayload } from '@largepayload/testing/service/payload';
import {
  realProgram,
  type ServeOptions,
  type ServingProcess,
} from '@largepayload/testing/service/real-program';
import { filesIn, manifestText, metric } from '@largepayload/testing/service/running-service';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { expect, test } from 'vitest';

const { serve, newFolder, run, configFile } = realProgram();

const serveGateway = (options: ServeOptions) => serve({ role: 'gateway', ...options });
const readyGateway = async (options: ServeOptions) => {
  const service = await serveGateway(options);
  await eventually('ready', async () => (await readyz(service)).status === 200);
  return service;
};

const put = (service: ServingProcess, content: string) => {
  const { bytes, putPath, putHeaders } = testPayload(content);
  return call(service.data, putPath, { method: 'PUT', headers: putHeaders, body: bytes });
};
const health = async ({ data }: ServingProcess) =>
  (await call(data, '/v2/health/head', { method: 'HEAD' })).status;
const readyz = async (service: ServingProcess) => {
  const { status, body } = await call(service.metrics, '/readyz');
  return { status, ...JSON.parse(body.toString()).error };
};
const statusOf = async (service: ServingProcess) =>
  JSON.parse((await call(service.metrics, '/status')).body.toString());

test.concurrent('SIGTERM is told at once; what comes is served for a while, and what is in flight to its end', async () => {
  const dataFolder = await newFolder('drained');
  await using service = await readyGateway({ dataFolder });
  const { bytes, putPath, putHeaders } = testPayload(generatedBytes(2_000_000));
  await using inFlight = await RawConnection.open(service.data);
  await inFlight.sendHead(`PUT ${putPath} HTTP/1.1`, putHeaders);
  await inFlight.send(bytes.subarray(0, bytes.length / 2));
  await eventually(
    'the PUT is in transfer',
    async () => (await metric(service, 'payload_store_in_flight_requests')) === 1,
  );
  await using idle = await RawConnection.open(service.data);
  await using keptAlive = await RawConnection.open(service.data);
  await keptAlive.sendHead('HEAD /v2/health/head HTTP/1.1', {});
  expect((await keptAlive.answer()).headers.connection).toBe('keep-alive');

  service.process.kill('SIGTERM');
  service.process.kill('SIGTERM');
  await eventually('/readyz tells', async () => (await readyz(service)).code === 'draining', 10_000);
  expect(await statusOf(service)).toMatchObject({ ready: false, error: { code: 'draining' } });
  expect(await metric(service, 'payload_store_ready')).toBe(0);
  const late = await put(service, 'sent by a node that has not heard');
  expect(late).toMatchObject({ status: 201, headers: { connection: 'close' } });
  const got = await call(service.data, getPath(keyOf(late)), {
    headers: testPayload('sent by a node that has not heard').getHeaders,
  });
  expect(got).toMatchObject({ status: 200, headers: { connection: 'close' } });
  await keptAlive.sendHead('HEAD /v2/health/head HTTP/1.1', {});
  expect(await keptAlive.answer()).toMatchObject({ status: 200, headers: { connection: 'close' } });
  await keptAlive.closed();
  expect(idle.ended).toBe(false);

  await eventually('new connections are refused', () => refusesConnections(service.data), 10_000);
  await idle.closed();
  expect((await call(service.metrics, '/healthz')).status).toBe(200);
  await inFlight.send(bytes.subarray(bytes.length / 2));
  const answer = await inFlight.answer();
  expect(answer).toMatchObject({ status: 201, headers: { connection: 'close' } });
  const answered = performance.now();
  expect(await service.exited).toBe(0);
  // With a pod its network goes, and with that what a slow reader has not received yet.
  expect(performance.now() - answered).toBeGreaterThan(4_000);
  expect(await filesIn(dataFolder)).toContain(keyOf(answer));
  expect(service.log.map(({ msg }) => msg).slice(-2)).toEqual(['draining', 'stopped']);
});

test.concurrent('a storage that fails for a moment empties no Service, and is told all the same', async () => {
  const dataFolder = await newFolder('failing for a moment');
  await using service = await readyGateway({ dataFolder });
  await rename(dataFolder, `${dataFolder}-elsewhere`);
  await eventually('health tells', async () => (await health(service)) === 503);
  expect(await readyz(service)).toEqual({ status: 200 });
  expect(await statusOf(service)).toMatchObject({ ready: false, error: { code: 'storage_unavailable' } });
  expect(await metric(service, 'payload_store_ready')).toBe(0);
  expectError(await put(service, 'meanwhile'), 'storage_unavailable');
  await rename(`${dataFolder}-elsewhere`, dataFolder);
  await eventually('health tells that it is back', async () => (await health(service)) === 200);
  expect(await metric(service, 'payload_store_ready')).toBe(1);
  expect((await put(service, 'afterwards')).status).toBe(201);
});

test.concurrent('a folder that cannot be used yet is waited for, and told of', async () => {
  const folder = await newFolder('not mounted yet');
  const blocked = join(folder, 'volume');
  await writeFile(blocked, 'no folder');
  await using service = await serveGateway({ dataFolder: join(blocked, 'data'), ttl: '1h' });
  expect((await call(service.metrics, '/healthz')).status).toBe(200);
  await eventually('the reason is known', async () => (await readyz(service)).message?.includes(blocked));
  expect(await readyz(service)).toMatchObject({ status: 503, code: 'storage_unavailable' });
  expect(await statusOf(service)).toEqual({
    store: { namespace: 'default', name: 'test' },
    role: 'gateway',
    version: expect.stringMatching(/^\d/),
    authentication: 'None',
    storage: 'filesystem',
    storageID: null,
    ready: false,
    error: { code: 'storage_unavailable', message: expect.stringContaining(blocked) },
    reaper: {},
    revision: expect.any(String),
  });
  expect(await health(service)).toBe(503);
  expectError(await put(service, 'too early'), 'storage_unavailable');
  await rm(blocked);
  await mkdir(blocked);
  await eventually('ready by itself', async () => (await readyz(service)).status === 200, 10_000);
  expect((await put(service, 'in time')).status).toBe(201);
  await eventually('the reaper works too', async () => (await statusOf(service)).reaper.lastCompletedTime);
  expect(service.log.map(({ msg }) => msg)).toEqual([
    'listening',
    'the storage cannot be used yet; trying again',
    'the storage was empty: this begins a new store in it',
    'the storage can be used',
  ]);
});

test.concurrent('payloads are placed for a reaper whose clock is a minute ahead', async () => {
  await using service = await readyGateway({ dataFolder: await newFolder('placed'), ttl: '8s' });
  const before = Date.now();
  const [, text = ''] = /expires-(\S+?)Z-8s/.exec(keyOf(await put(service, 'placed'))) ?? [];
  const end = Date.parse(`${text.replace(/^(....)(..)(..)T(..)(..)(..)$/, '$1-$2-$3T$4:$5:$6')}Z`);
  expect(end).toBeGreaterThanOrEqual(before + 8_000 + putTimeLimit(8_000) + 60_000);
  expect(end).toBeLessThan(Date.now() + 8_000 + putTimeLimit(8_000) + 62_000);
});

test.concurrent('`:PORT` is every interface', async () => {
  await using service = await serveGateway({
    dataFolder: await newFolder('everywhere'),
    ports: ['--listen', ':0', '--metrics-listen', ':0', '--admin-listen', '127.0.0.1:0', '--allow-remote'],
  });
  const port = service.metrics.split(':').at(-1);
  for (const host of ['127.0.0.1', '127.8.9.10']) {
    expect((await call(`${host}:${port}`, '/healthz')).status).toBe(200);
  }
  if (service.metrics.startsWith('[::]')) {
    expect((await call(`[::1]:${port}`, '/healthz')).status).toBe(200);
  }
});

test.concurrent.each([
  ['Forever', { ttl: 'Forever' }, 'spec.retention.ttl'],
  ['a folder', { ttl: '1h' }, 'spec.storage.filesystem'],
])('a reaper for %s is refused', async (_name, options, field) => {
  const config = await configFile(manifestText(options));
  const { code, stderr } = await run(['serve', '--role', 'reaper', '--config', config]);
  expect({ code, stderr }).toEqual({ code: 2, stderr: expect.stringContaining(field) });
  expect(stderr).toMatch(/run no --role reaper/);
});
