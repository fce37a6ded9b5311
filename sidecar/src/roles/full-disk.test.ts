import { spawnSync } from 'node:child_process';
import { call, expectError, keyOf } from '@largepayload/testing/service/http-call';
import { generatedBytes, getPath, testPayload } from '@largepayload/testing/service/payload';
import { realProgram } from '@largepayload/testing/service/real-program';
import { filesIn } from '@largepayload/testing/service/running-service';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { expect, test } from 'vitest';

const { serve, newFolder } = realProgram();

const UNSHARE = ['unshare', '--mount', ...(process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'])];

/** A filesystem of its own, seen by the process alone. */
const mounting = (folder: string, mountOptions: string) => [
  ...UNSHARE,
  'sh',
  '-c',
  `mount ${mountOptions} "${folder}" && exec "$@"`,
  'sh',
];

const [command = '', ...options] = UNSHARE;
const trial = spawnSync(command, [...options, 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']);
const permitted = trial.status === 0;
if (!permitted) console.log(`skipped, as nothing may be mounted here: ${trial.stderr ?? trial.error}`);

const put = (service: { data: string }, size: number, seed = 1) => {
  const { bytes, putPath, putHeaders } = testPayload(generatedBytes(size, seed));
  return call(service.data, putPath, { method: 'PUT', headers: putHeaders, body: bytes });
};

test.skipIf(!permitted)('a full disk answers 507, keeps what it has, and takes what fits', async () => {
  const dataFolder = await newFolder('small');
  const wrapper = mounting(dataFolder, '-t tmpfs -o size=4m tmpfs');
  await using service = await serve({ dataFolder, wrapper });
  const seen = `/proc/${service.process.pid}/root${dataFolder}`;

  const kept = await put(service, 1_000_000);
  expect(kept.status).toBe(201);
  const before = await filesIn(seen);
  for (const seed of [2, 3, 4]) {
    expectError(await put(service, 5_000_000, seed), 'storage_full');
    expect(await filesIn(seen)).toEqual(before);
  }
  const readyz = await call(service.metrics, '/readyz');
  expect(readyz.status).toBe(200);
  expect((await put(service, 1_000_000, 5)).status).toBe(201);
  const got = await call(service.data, getPath(keyOf(kept)), {
    headers: testPayload(generatedBytes(1_000_000)).getHeaders,
  });
  expect(got.body.equals(generatedBytes(1_000_000))).toBe(true);
});

test.skipIf(!permitted)(
  'begun on a disk without room for a file, it serves what is there and makes room',
  async () => {
    const before = await newFolder('before');
    // Longer than a busy machine takes for what comes before it ends.
    const ttl = '20s';
    await using first = await serve({ dataFolder: before, ttl });
    const kept = await put(first, 1_000_000);
    // What is new takes more files and folders than each that goes.
    for (const seed of [3, 4, 5]) await put(first, 1_000, seed);
    first.process.kill('SIGKILL');
    await first.exited;
    const dataFolder = await newFolder('without-room');
    const filling = `cp -a "${before}/." . && while touch "filler-$((n+=1))"; do :; done 2>/dev/null; cd /`;
    const mountAndFill = `mount -t tmpfs -o size=4m,nr_inodes=100 tmpfs "${dataFolder}" && cd "${dataFolder}" && ${filling}`;
    const wrapper = [...UNSHARE, 'sh', '-c', `${mountAndFill} && exec "$@"`, 'sh'];
    await using service = await serve({ dataFolder, wrapper, ttl });
    expect((await call(service.metrics, '/readyz')).status).toBe(200);
    const got = await call(service.data, getPath(keyOf(kept)), {
      headers: testPayload(generatedBytes(1_000_000)).getHeaders,
    });
    expect(got.body.equals(generatedBytes(1_000_000))).toBe(true);
    expectError(await put(service, 1_000_000, 2), 'storage_full');
    expect((await call(service.metrics, '/readyz')).status).toBe(200);
    await eventually(
      'the reaper has made room',
      async () => (await put(service, 1_000_000, 2)).status === 201,
      90_000,
    );
  },
);

test.skipIf(!permitted)('a gateway that has no room to begin is not ready', async () => {
  const dataFolder = await newFolder('no-room-to-begin');
  const filling = `cd "${dataFolder}" && while touch "filler-$((n+=1))"; do :; done 2>/dev/null; cd /`;
  const mountAndFill = `mount -t tmpfs -o size=4m,nr_inodes=20 tmpfs "${dataFolder}" && ${filling}`;
  const wrapper = [...UNSHARE, 'sh', '-c', `${mountAndFill} && exec "$@"`, 'sh'];
  await using service = await serve({ role: 'gateway', dataFolder, wrapper });
  const readyz = async () => await call(service.metrics, '/readyz');
  await eventually('it says so', async () => (await readyz()).body.toString().includes('no space left'));
  expect((await readyz()).status).toBe(503);
});

test.skipIf(!permitted)('a folder that cannot be written is told at the start', async () => {
  const dataFolder = await newFolder('read-only');
  const wrapper = mounting(dataFolder, '-t tmpfs -o ro tmpfs');
  await expect(serve({ dataFolder, wrapper })).rejects.toThrow(
    /ended with 5: payload-store: .*mounted read-only/,
  );
});
