import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { call, expectError, keyOf } from '@largepayload/testing/service/http-call';
import { getPath, testPayload } from '@largepayload/testing/service/payload';
import { realProgram, type ServingProcess } from '@largepayload/testing/service/real-program';
import {
  filesIn,
  startService,
  type TestService,
  temporaryFolder,
} from '@largepayload/testing/service/running-service';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { expect, test } from 'vitest';
import { FAST_TIMES } from '../storage-records/lease/lease.fixture.ts';

const { serve, newFolder, run, configFile } = realProgram();

const HERE = { uid: 'uid-1', cluster: 'here' };
const THERE = { uid: 'uid-2', cluster: 'there' };

const put = (service: { data: string }, content: string) => {
  const { bytes, putPath, putHeaders } = testPayload(content);
  return call(service.data, putPath, { method: 'PUT', headers: putHeaders, body: bytes });
};
const statusOf = async (service: Pick<TestService, 'metrics'>) =>
  JSON.parse((await call(service.metrics, '/status')).body.toString());
const leaseIn = async (folder: string) => JSON.parse(await readFile(join(folder, 'lease.json'), 'utf8'));
const cleanup = (service: Pick<TestService, 'admin'>) =>
  call(service.admin, '/admin/payload-store/cleanup?age=1s', { method: 'POST' });

const EXPIRED = `expires-20200101T000000Z-30d/orders/common/sha256:${'0'.repeat(64)}.sha256:${'0'.repeat(64)}`;

test.concurrent('another cluster neither stores nor deletes, until nobody renews the lease; then the first one does not', async () => {
  const folder = await temporaryFolder();
  const at = { folder, ttl: '1h', leaseTimes: FAST_TIMES };
  await using first = await startService({ ...at, resource: HERE });
  const stored = await put(first, 'of the first');
  await expect(startService({ ...at, resource: THERE })).rejects.toThrow(
    'the storage is in use by default/test of the cluster here (uid-1) since 20',
  );
  expect(await statusOf(first)).toMatchObject({
    ready: true,
    lease: { holder: 'uid-1', cluster: 'here', store: 'default/test', released: false },
  });
  await first.stop();
  expect(await leaseIn(folder)).toMatchObject({ holder: 'uid-1', released: true });
  await using second = await startService({ ...at, resource: THERE });
  expect((await put(second, 'of the second')).status).toBe(201);
  const { getHeaders } = testPayload('of the first');
  expect((await call(second.data, getPath(keyOf(stored)), { headers: getHeaders })).status).toBe(200);
  expect((await statusOf(second)).lease).toMatchObject({
    holder: 'uid-2',
    takenFrom: { holder: 'uid-1', store: 'default/test', cluster: 'here' },
  });
});

test.concurrent('a process that finds the storage taken over stops storing and deleting, and serves what it finds', async () => {
  const folder = await temporaryFolder();
  const at = { folder, ttl: '1h', reaperInterval: '1s' };
  // The first one renews as rarely as if it were paused.
  const asleep = { ...FAST_TIMES, lookEveryMs: 3_600_000 };
  await using first = await startService({ ...at, resource: HERE, leaseTimes: asleep });
  const stored = await put(first, 'of the first');
  await using _second = await eventuallyStarted({ ...at, resource: THERE, leaseTimes: FAST_TIMES });
  await eventually('its PUT is refused', async () => (await put(first, 'too late')).status === 503);
  // The first one still asks the folder for its time, by files of a moment.
  const payloads = async () => (await filesIn(folder)).filter((name) => name.includes('/expires-'));
  const before = await payloads();
  const refused = await put(first, 'too late');
  expectError(refused, 'storage_unavailable');
  expect(refused.body.toString()).toContain('in use by default/test of the cluster there (uid-2)');
  expect((await cleanup(first)).body.toString()).toContain('in use by');
  expect(await payloads()).toEqual(before);
  const { getHeaders } = testPayload('of the first');
  expect((await call(first.data, getPath(keyOf(stored)), { headers: getHeaders })).status).toBe(200);
  const missing = await call(first.data, getPath(`${keyOf(stored).slice(0, -1)}x`), { headers: getHeaders });
  expect(missing.status).not.toBe(404);
});

test.concurrent('processes of one manifest outside of a cluster share a folder as before, also after kill -9', async () => {
  const dataFolder = await newFolder('shared by one manifest');
  await using first = await serve({ dataFolder, ttl: '1h' });
  await using second = await serve({ dataFolder, ttl: '1h' });
  expect((await put(first, 'one')).status).toBe(201);
  expect((await put(second, 'one')).status).toBe(200);
  first.process.kill('SIGKILL');
  await first.exited;
  await using third = await serve({ dataFolder, ttl: '1h' });
  expect((await put(third, 'two')).status).toBe(201);
  expect(await leaseIn(dataFolder)).toMatchObject({ holder: 'default/test', store: 'default/test' });
});

test.concurrent('after kill -9 another resource takes over when the lease was not renewed for long enough', async () => {
  const dataFolder = await newFolder('killed');
  const resource = ['--resource-uid', 'uid-1', '--cluster-name', 'here'];
  const gateway = await serve({ role: 'gateway', dataFolder, args: resource });
  await eventually('ready', async () => (await statusOf(gateway)).ready);
  const config = await configFile(JSON.stringify(STORE));
  const refused = await run(['serve', '--config', config, '--data-dir', dataFolder]);
  expect(refused).toMatchObject({ code: 5, stderr: expect.stringContaining('of the cluster here (uid-1)') });
  gateway.process.kill('SIGKILL');
  await gateway.exited;
  await using other = await eventuallyStarted({
    folder: dataFolder,
    resource: THERE,
    leaseTimes: FAST_TIMES,
  });
  expect((await put(other, 'afterwards')).status).toBe(201);
});

test.concurrent('a gateway of another cluster waits, says why, and deletes nothing', async () => {
  const dataFolder = await newFolder('in use');
  const as = (uid: string, cluster: string): Promise<ServingProcess> =>
    serve({
      ...{ role: 'gateway', dataFolder, ttl: '1h', reaperInterval: '1s' },
      args: ['--resource-uid', uid, '--cluster-name', cluster],
    });
  await using first = await as('uid-1', 'here');
  await eventually('ready', async () => (await statusOf(first)).ready);
  await using second = await as('uid-2', 'there');
  await eventually('it says so', async () => /in use by/.test((await statusOf(second)).error?.message ?? ''));
  expectError(await put(second, 'not stored'), 'storage_unavailable');
  await using again = await as('uid-3', 'here');
  await eventually('it waits', async () =>
    /^waits for the storage for at most \d+ s: .*\(uid-1\)/.test(
      (await statusOf(again)).error?.message ?? '',
    ),
  );
});

test.concurrent('two that share on purpose serve beside each other, and both delete what has expired', async () => {
  const folder = await temporaryFolder();
  const at = { folder, ttl: '1h', reaperInterval: '1s', shared: true, leaseTimes: FAST_TIMES };
  await using first = await startService({ ...at, resource: HERE });
  await using second = await startService({ ...at, resource: THERE });
  expect((await put(first, 'both')).status).toBe(201);
  expect((await put(second, 'both')).status).toBe(200);
  await expect(startService({ ...at, shared: false })).rejects.toThrow('say storage.shared: true here too');
  await first.stop();
  await mkdir(join(folder, EXPIRED), { recursive: true });
  expect((await cleanup(second)).body.toString()).toContain('"done":true');
});

test.each([
  ['--role standalone', ['--resource-uid', 'uid-1'], 'is for --role gateway and reaper'],
  ['a UID that is none', ['--role', 'gateway', '--resource-uid', 'a b'], 'has up to 64 letters'],
  ['a cluster without a UID', ['--role', 'gateway', '--cluster-name', 'here'], 'give that, too'],
  [
    'a cluster’s name of two words',
    ['--role', 'gateway', '--resource-uid', 'a', '--cluster-name', 'a b'],
    'none of them a space',
  ],
])('%s is refused', async (_title, args, words) => {
  const config = await configFile(JSON.stringify(STORE));
  const outcome = await run(['serve', '--config', config, '--data-dir', '/nowhere', ...args]);
  expect(outcome).toMatchObject({ code: 2, stderr: expect.stringContaining(words) });
});

const STORE = {
  ...{ apiVersion: 'largepayload.dev/v1alpha1', kind: 'LargePayloadStore', metadata: { name: 'test' } },
  spec: { storage: { filesystem: { claimName: 'unused' } }, retention: { ttl: 'Forever' } },
};

/** Refused as long as the lease of another holds. */
async function eventuallyStarted(options: Parameters<typeof startService>[0]): Promise<TestService> {
  let started: TestService | undefined;
  await eventually('it starts', async () => {
    started = await startService(options).catch(() => undefined);
    return started !== undefined;
  });
  return started as TestService;
}
