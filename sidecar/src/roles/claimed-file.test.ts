import { mkdir, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { eventually } from '../testing/eventually.ts';
import { call } from '../testing/http-call.ts';
import { realProgram, type ServingProcess } from '../testing/real-program.ts';
import { manifestText } from '../testing/running-service.ts';

const { serve, newFolder, run, configFile } = realProgram();

const readyz = async ({ metrics }: ServingProcess) => (await call(metrics, '/readyz')).body.toString();
const isReady = async ({ metrics }: ServingProcess) => (await call(metrics, '/readyz')).status === 200;

test('a gateway of a store that has a storage does not begin in an empty one, and goes on when the right one is there', async () => {
  const dataFolder = await newFolder('data');
  const claimedFile = join(await newFolder('claim'), 'claimed');
  const start = () => serve({ role: 'gateway', dataFolder, args: ['--claimed-file', claimedFile] });
  {
    await using first = await start();
    await eventually('the first begins the store', () => isReady(first));
  }
  await writeFile(claimedFile, 'default/example');
  {
    await using again = await start();
    await eventually('another one finds it', () => isReady(again));
  }
  const kept = `${dataFolder}-kept`;
  await rename(dataFolder, kept);
  await mkdir(dataFolder);
  await using waiting = await start();
  await eventually('it says so', async () => /store\.json has gone/.test(await readyz(waiting)));
  expect(await isReady(waiting)).toBe(false);
  await rename(join(kept, 'store.json'), join(dataFolder, 'store.json'));
  await eventually('it goes on', () => isReady(waiting), 20_000);
});

test('no other role takes the file', async () => {
  const config = await configFile(manifestText({}));
  const { code, stderr } = await run([
    'serve',
    '--config',
    config,
    '--data-dir',
    await newFolder('standalone'),
    '--claimed-file',
    'x',
  ]);
  expect([code, stderr]).toEqual([
    2,
    expect.stringContaining('--claimed-file is for --role gateway; leave it out'),
  ]);
});
