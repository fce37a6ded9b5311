import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { call } from '@largepayload/testing/service/http-call';
import { realProgram, type ServingProcess } from '@largepayload/testing/service/real-program';
import { manifestText } from '@largepayload/testing/service/running-service';
import { eventually } from '@largepayload/testing/waiting/eventually';
import { expect, test } from 'vitest';

const { serve, newFolder, run, configFile } = realProgram();

const readyz = async ({ metrics }: ServingProcess) => (await call(metrics, '/readyz')).body.toString();
const isReady = async ({ metrics }: ServingProcess) => (await call(metrics, '/readyz')).status === 200;

async function storageIdOf(dataFolder: string): Promise<string> {
  const { namespace, name, id } = JSON.parse(await readFile(join(dataFolder, 'store.json'), 'utf8'));
  return `${namespace}/${name}/${id}`;
}

test('a gateway of a store that has a storage does not begin in an empty one, and goes on when the right one is there', async () => {
  const dataFolder = await newFolder('data');
  const claimedFile = join(await newFolder('claim'), 'claimed');
  const start = () => serve({ role: 'gateway', dataFolder, args: ['--claimed-file', claimedFile] });
  {
    await using first = await start();
    await eventually('the first begins the store', () => isReady(first));
  }
  const storageID = await storageIdOf(dataFolder);
  await writeFile(claimedFile, `${storageID}\n`);
  {
    await using again = await start();
    await eventually('another one finds it', () => isReady(again));
    expect(JSON.parse((await call(again.metrics, '/status')).body.toString())).toMatchObject({ storageID });
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

test('a gateway uses no storage in which another store of the same name began', async () => {
  const dataFolder = await newFolder('of another cluster');
  await using theirs = await serve({ dataFolder });
  await eventually('another one begins there', () => isReady(theirs));
  const claimedFile = join(await newFolder('claim of ours'), 'claimed');
  await writeFile(claimedFile, 'default/test/ours');
  await using ours = await serve({ role: 'gateway', dataFolder, args: ['--claimed-file', claimedFile] });
  const found = await storageIdOf(dataFolder);
  const words = `another storage than the store's: its store.json says ${found}`;
  await eventually('it says so', async () => (await readyz(ours)).includes(words));
  expect(await isReady(ours)).toBe(false);
});

test('a standalone process does not take the file', async () => {
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
    expect.stringContaining('--claimed-file is for --role gateway and reaper; leave it out'),
  ]);
});
