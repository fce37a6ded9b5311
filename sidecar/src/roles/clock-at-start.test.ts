import { readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { shiftedClock } from '@largepayload/testing/processes/shifted-clock';
import { call, expectError, keyOf } from '@largepayload/testing/service/http-call';
import { getPath, testPayload } from '@largepayload/testing/service/payload';
import { realProgram, type ServingProcess } from '@largepayload/testing/service/real-program';
import { metric } from '@largepayload/testing/service/running-service';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { expect, test } from 'vitest';

const { serve, run, newFolder } = realProgram();

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const YEAR = 366 * DAY;
const PASSES = 'payload_store_reaper_passes_total';

/** One store in a folder, on a machine whose clock can be set; processes of it one after another. */
async function machine(name: string, ttl: string, offset = 0) {
  const dataFolder = await newFolder(`${name} data`);
  const { set, nodeOptions } = await shiftedClock(await newFolder(name), offset, { ofMachine: true });
  const start = (...args: string[]) => serve({ dataFolder, ttl, reaperInterval: '1s', nodeOptions, args });
  const record = join(dataFolder, 'clock.json');
  const recorded = async () => JSON.parse(await readFile(record, 'utf8').catch(() => '{}'));
  return { dataFolder, set, start, record, recorded };
}

const payload = testPayload('an hour of work');
const put = (service: ServingProcess, { bytes, putPath, putHeaders } = payload) =>
  call(service.data, putPath, { method: 'PUT', headers: putHeaders, body: bytes });
const get = async (service: ServingProcess, key: string) =>
  (await call(service.data, getPath(key), { headers: payload.getHeaders })).status;
const json = async (service: ServingProcess, path: string) =>
  JSON.parse((await call(service.metrics, path)).body.toString());
const passes = (service: ServingProcess, result: string, count = 1) =>
  eventually(
    `${result} passes`,
    async () => (await metric(service, `${PASSES}{result="${result}"}`)) >= count,
  );
const stop = async ({ process, exited }: ServingProcess) => {
  process.kill('SIGTERM');
  expect(await exited).toBe(0);
};

test.concurrent.each(['SIGTERM', 'SIGKILL'] as const)(
  'a machine 14 h behind at boot, set right while no process runs, after %s: nothing is deleted early',
  async (signal) => {
    const { set, start, recorded } = await machine(`behind until ${signal}`, '12h', -14 * HOUR);
    await using first = await start();
    const key = keyOf(await put(first));
    await eventually('a time is known', async () => (await recorded()).mark !== undefined);
    first.process.kill(signal);
    await first.exited;
    await set(0);

    await using second = await start();
    await passes(second, 'completed', 2);
    expect(await get(second, key)).toBe(200);
    await eventually('the step is kept', async () => (await recorded()).lags?.length === 1);
  },
);

test.concurrent.each([14, 24])(
  'a machine %d h behind at boot, set right while we run: a restart deletes nothing early',
  async (hours) => {
    const { set, start, recorded } = await machine(`${hours} h behind`, '12h', -hours * HOUR);
    await using first = await start();
    const key = keyOf(await put(first));
    await eventually('a time is known', async () => (await recorded()).mark !== undefined);
    await set(0);
    await eventually('the step is kept', async () => (await recorded()).lags?.length === 1);
    expect(await get(first, key)).toBe(200);
    expect((await put(first, testPayload('after it'))).status).toBe(201);
    await passes(first, 'completed', 2);
    await stop(first);

    await using second = await start();
    await passes(second, 'completed', 2);
    expect(await get(second, key)).toBe(200);
    expect(await metric(second, 'payload_store_reaper_lag_seconds')).toBeGreaterThanOrEqual(
      hours * 3_600 - 60,
    );
    expect(second.log.find(({ msg }) => String(msg).startsWith('the clock was set forward'))).toMatchObject({
      level: 'warn',
      until: expect.stringMatching(/^\d{4}-\d\d-\d\dT.*Z$/),
    });
  },
);

test.concurrent('one start with a clock a year ahead deletes nothing, and is not kept', async () => {
  const { set, start, recorded } = await machine('a year ahead', '30d');
  await using right = await start();
  const key = keyOf(await put(right));
  await passes(right, 'completed');
  await stop(right);

  await set(YEAR);
  await using ahead = await start();
  await passes(ahead, 'waiting', 2);
  expect(await get(ahead, key)).toBe(200);
  const { reaper } = await json(ahead, '/status');
  expect(reaper.waiting).toEqual({
    reason: 'clock_unconfirmed',
    message: expect.stringContaining('run payload-store accept-clock'),
    until: expect.stringMatching(/Z$/),
  });
  expect(reaper).not.toHaveProperty('lastError');
  expect(await metric(ahead, 'payload_store_reaper_waiting')).toBe(1);
  expect(await metric(ahead, `${PASSES}{result="failed"}`)).toBe(0);
  const said = ahead.log.filter(({ msg }) => String(msg).includes('nothing is deleted until'));
  expect(said).toHaveLength(1);
  const admin = ['--admin-url', `http://${ahead.admin}`];
  expect(await run(['cleanup', '--older-than', '1h', ...admin])).toMatchObject({
    code: 5,
    stderr: expect.stringContaining('nothing is deleted until the clock is confirmed'),
  });
  expect((await run(['cleanup', '--older-than', '1h', '--dry-run', ...admin])).code).toBe(0);
  expect((await put(ahead, testPayload('placed by the wrong clock'))).status).toBe(201);
  await stop(ahead);
  expect(Date.parse((await recorded()).mark)).toBeLessThan(Date.now() + HOUR);

  await set(0);
  await using again = await start();
  await passes(again, 'completed');
  expect(await get(again, key)).toBe(200);
  expect((await put(again, testPayload('placed by the right clock'))).status).toBe(201);
});

test.concurrent('one start with a clock a day behind stores nothing, serves, and is not kept', async () => {
  const { set, start, recorded } = await machine('a day behind', '30d');
  await using right = await start();
  const key = keyOf(await put(right));
  await passes(right, 'completed');
  await stop(right);
  const { mark } = await recorded();

  await set(-DAY);
  await using behind = await start();
  const refused = await put(behind, testPayload('refused'));
  expectError(refused, 'clock_difference');
  expect(refused.body.toString()).toMatch(/clock is 86\d{3}\.\d s behind .*payload-store accept-clock/);
  expect(await get(behind, key)).toBe(200);
  expect((await call(behind.metrics, '/readyz')).status).toBe(200);
  expect((await call(behind.data, '/v2/health/head', { method: 'HEAD' })).status).toBe(503);
  expect(await json(behind, '/status')).toMatchObject({ ready: false, error: { code: 'clock_difference' } });
  await set(0);
  await eventually(
    'PUTs are taken again',
    async () => (await put(behind, testPayload('taken'))).status === 201,
  );
  await stop(behind);
  const record = await recorded();
  expect(Date.parse(record.mark)).toBeGreaterThanOrEqual(Date.parse(mark));
  expect(Date.parse(record.mark)).toBeLessThan(Date.now() + HOUR);
});

test.concurrent.each([
  ['of an earlier version', undefined],
  ['that is damaged', '{"mark":'],
  ['of the year 9999', '{"mark":"9999-01-01T00:00:00Z"}'],
])('with no record, or one %s, deletion waits until a person confirms the clock', async (name, content) => {
  const { start, record, recorded } = await machine(`no mark ${name}`, '30d');
  await using first = await start();
  const key = keyOf(await put(first));
  await stop(first);
  if (content === undefined) await rm(record);
  else await writeFile(record, content);

  await using second = await start();
  await passes(second, 'waiting');
  expect((await put(second, testPayload('stored meanwhile'))).status).toBe(201);
  expect(await get(second, key)).toBe(200);
  const accepted = await run(['accept-clock', '--admin-url', `http://${second.admin}`]);
  expect(JSON.parse(accepted.stdout.toString())).toEqual({
    ...{ time: expect.stringMatching(/Z$/), mark: null, difference: null, written: true },
  });
  await passes(second, 'completed');
  expect((await json(second, '/status')).reaper).not.toHaveProperty('waiting');
  expect((await recorded()).acceptances).toBe(1);
});

test.concurrent('a mark in the far future stops PUTs, and --accept-clock at a start lowers it', async () => {
  const { start, record, recorded } = await machine('far future', '30d');
  await using first = await start();
  await passes(first, 'completed');
  await stop(first);
  const far = new Date(Date.now() + YEAR).toISOString();
  await writeFile(record, JSON.stringify({ ...(await recorded()), mark: far }));

  await using second = await start();
  expectError(await put(second), 'clock_difference');
  await stop(second);
  await using third = await start('--accept-clock');
  await eventually('PUTs are taken', async () => (await put(third)).status === 201);
  expect(third.log.map(({ msg }) => msg)).toContain('the clock was accepted, as --accept-clock says');
  await stop(third);
  await using fourth = await start();
  expect((await put(fourth)).status).toBe(200);
});

test.concurrent('the clock is not accepted while it differs from the storage’s', async () => {
  const dataFolder = await newFolder('not accepted data');
  const { nodeOptions } = await shiftedClock(await newFolder('not accepted'), HOUR);
  await using service = await serve({ dataFolder, ttl: '1h', nodeOptions });
  expect(await run(['accept-clock', '--admin-url', `http://${service.admin}`])).toMatchObject({
    code: 5,
    stderr: expect.stringContaining("ahead of the storage's"),
  });
});
