import { spawnSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { call, expectError, keyOf } from '../testing/http-call.ts';
import { generatedBytes, getPath, testPayload } from '../testing/payload.ts';
import { realProgram } from '../testing/real-program.ts';
import { filesIn } from '../testing/running-service.ts';

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

test.skipIf(!permitted)('a folder that cannot be written is told at the start', async () => {
  const dataFolder = await newFolder('read-only');
  const wrapper = mounting(dataFolder, '-t tmpfs -o ro tmpfs');
  await expect(serve({ dataFolder, wrapper })).rejects.toThrow(
    /ended with 5: payload-store: .*mounted read-only/,
  );
});
