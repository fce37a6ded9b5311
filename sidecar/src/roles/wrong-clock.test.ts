import { shiftedClock } from '@largepayload/testing/processes/shifted-clock';
import { call, expectError, keyOf } from '@largepayload/testing/service/http-call';
import { getPath, testPayload } from '@largepayload/testing/service/payload';
import { realProgram, type ServingProcess } from '@largepayload/testing/service/real-program';
import { filesIn, metric } from '@largepayload/testing/service/running-service';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { expect, test } from 'vitest';

const { serve, newFolder } = realProgram();

const HOUR = 3_600_000;

/** A process whose clock is off; the kernel's, which stamps files, stays right. */
const withClock = async (name: string, offset: number) => shiftedClock(await newFolder(name), offset);

const { bytes, putPath, putHeaders, getHeaders } = testPayload('kept for eight seconds');
const put = (service: ServingProcess) =>
  call(service.data, putPath, { method: 'PUT', headers: putHeaders, body: bytes });
const readiness = async (service: ServingProcess) => {
  const { status, body } = await call(service.metrics, '/readyz');
  return { status, code: JSON.parse(body.toString()).error?.code };
};

test.concurrent.each([
  ['back by an hour', -HOUR],
  ['back by five seconds', -5_000],
  ['forward by an hour', HOUR],
  ['forward by five seconds', 5_000],
])('a clock set %s stops PUTs and deletion, not GETs, until it is right again', async (name, offset) => {
  const { set, nodeOptions } = await withClock(name, 0);
  const dataFolder = await newFolder(`${name} data`);
  await using service = await serve({ dataFolder, ttl: '1h', reaperInterval: '1s', nodeOptions });
  const key = keyOf(await put(service));
  const before = await filesIn(dataFolder);

  await set(offset);
  for (let round = 0; round < 3; round += 1) expectError(await put(service), 'clock_difference');
  await eventually('readyz tells', async () => (await readiness(service)).status === 503);
  expect(await readiness(service)).toEqual({ status: 503, code: 'clock_difference' });
  expect((await call(service.data, '/v2/health/head', { method: 'HEAD' })).status).toBe(503);
  await eventually(
    'the reaper has tried, and stopped',
    async () => (await metric(service, 'payload_store_reaper_passes_total{result="failed"}')) > 0,
  );
  const got = await call(service.data, getPath(key), { headers: getHeaders });
  expect(got.body).toEqual(bytes);
  const cleanup = await call(service.admin, '/admin/payload-store/cleanup?age=1s', { method: 'POST' });
  expect(cleanup.body.toString()).toMatch('"code":"clock_difference"');
  expect(await filesIn(dataFolder)).toEqual(before);

  await set(0);
  await eventually('PUTs are taken again', async () => (await put(service)).status === 200);
  await eventually('ready again', async () => (await readiness(service)).status === 200);
});

test.concurrent('a clock that is wrong from the start makes a service that is not ready', async () => {
  const { nodeOptions } = await withClock('from the start', HOUR);
  const dataFolder = await newFolder('from the start data');
  await using service = await serve({ dataFolder, ttl: '1h', nodeOptions });
  expect(await readiness(service)).toEqual({ status: 503, code: 'clock_difference' });
  expectError(await put(service), 'clock_difference');
  expect(await filesIn(dataFolder)).toEqual([]);
});

test.concurrent('in a cluster a clock may be off by half a minute; by more, the process is not ready until it is right', async () => {
  const { set, nodeOptions } = await withClock('in a cluster', 90_000);
  const dataFolder = await newFolder('in a cluster data');
  await using service = await serve({ role: 'gateway', dataFolder, ttl: '1h', nodeOptions });
  await eventually(
    'the clock is told of',
    async () => (await readiness(service)).code === 'clock_difference',
  );
  expectError(await put(service), 'clock_difference');
  await set(30_000);
  await eventually('ready', async () => (await readiness(service)).status === 200);
  expect((await put(service)).status).toBe(201);
});
