import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { someBytes, TestStore } from '../conformance/subject.ts';
import { FilesystemDriver } from './filesystem-driver.ts';
import { newFolder, removeFolder } from './folder.fixture.ts';
import { OWN_FOLDER } from './temporary-files.ts';

const HOUR = 3_600;

let folder: string;
let temporary: string;
beforeEach(() => {
  folder = newFolder();
  temporary = join(folder, OWN_FOLDER, 'temporary');
});
afterEach(() => removeFolder(folder));

/** What a start leaves of folders that other processes made before. */
async function sweptAtStart(...names: string[]): Promise<Record<string, boolean>> {
  const driver = await FilesystemDriver.start(folder);
  const swept = Object.fromEntries(names.map((name) => [name, !existsSync(join(temporary, name))]));
  await driver.close();
  return swept;
}

function leave(name: string, secondsAgo = 0): void {
  mkdirSync(join(temporary, name), { recursive: true });
  writeFileSync(join(temporary, name, '1'), 'a part');
  const time = Date.now() / 1_000 - secondsAgo;
  utimesSync(join(temporary, name, '1'), time, time);
  utimesSync(join(temporary, name), time, time);
}

/** Boot and pid namespace, as the name of our own folder begins. */
async function thisHost(): Promise<string> {
  const driver = await FilesystemDriver.start(folder);
  const [own = ''] = readdirSync(temporary);
  await driver.close();
  return own.slice(0, own.indexOf('.'));
}

test('each driver has a folder of its own, which goes when it ends', async () => {
  const driver = await FilesystemDriver.start(folder);
  expect(readdirSync(temporary)).toEqual([expect.stringContaining(`.${process.pid}.`)]);
  await driver.close();
  expect(readdirSync(temporary)).toEqual([]);
});

test('many puts that find the folder missing make it again together', async () => {
  const driver = await FilesystemDriver.start(folder);
  for (const name of readdirSync(temporary)) rmdirSync(join(temporary, name));
  const store = new TestStore({ driver, stop: () => driver.close() });
  await Promise.all(
    Array.from({ length: 16 }, (_, index) => store.put(`blobs/${index}`, someBytes(10 + index))),
  );
  await store.stop();
});

test('the files of an ended process of this host are removed, however new they are', async () => {
  const ended = spawnSync(process.execPath, ['--version']).pid;
  const name = `${await thisHost()}.${ended}.12345.1a2b3c4d`;
  leave(name);
  expect(await sweptAtStart(name)).toEqual({ [name]: true });
});

test('the files of a living process of this host are kept, however old they are', async () => {
  const child = spawn('sleep', ['60']);
  try {
    const startTime = readFileSync(`/proc/${child.pid}/stat`, 'utf8').split(') ')[1]?.split(' ')[19];
    const alive = `${await thisHost()}.${child.pid}.${startTime}.1a2b3c4d`;
    const samePidEarlier = `${await thisHost()}.${child.pid}.1.1a2b3c4d`;
    leave(alive, 48 * HOUR);
    leave(samePidEarlier);
    expect(await sweptAtStart(alive, samePidEarlier)).toEqual({ [alive]: false, [samePidEarlier]: true });
  } finally {
    child.kill();
  }
});

test('for a process of another host only the age of its newest file counts', async () => {
  leave('another-boot-4026531836.1.100', 2 * HOUR);
  leave('another-boot-4026531836.2.100', 0.5 * HOUR);
  leave('another-boot-4026531836.3.100', 2 * HOUR);
  writeFileSync(join(temporary, 'another-boot-4026531836.3.100', '2'), 'still being written');
  expect(
    await sweptAtStart(
      'another-boot-4026531836.1.100',
      'another-boot-4026531836.2.100',
      'another-boot-4026531836.3.100',
    ),
  ).toEqual({
    'another-boot-4026531836.1.100': true,
    'another-boot-4026531836.2.100': false,
    'another-boot-4026531836.3.100': false,
  });
});

test('a file among the folders does not keep the service from starting', async () => {
  mkdirSync(temporary, { recursive: true });
  writeFileSync(join(temporary, 'somebody.put.this.here'), '');
  expect(await sweptAtStart('somebody.put.this.here')).toEqual({ 'somebody.put.this.here': false });
});

test('many starts at once sweep the same folders without getting in each other’s way', async () => {
  for (let index = 0; index < 50; index += 1) leave(`another-boot-1.${index}.1`, 2 * HOUR);
  const drivers = await Promise.all(Array.from({ length: 8 }, () => FilesystemDriver.start(folder)));
  expect(readdirSync(temporary).filter((name) => name.startsWith('another'))).toEqual([]);
  for (const driver of drivers) await driver.close();
});

test('a driver that was idle while another swept its folder makes the folder again', async () => {
  const driver = await FilesystemDriver.start(folder);
  removeFolder(join(temporary, readdirSync(temporary)[0] ?? ''));
  const store = new TestStore({ driver, stop: () => driver.close() });
  expect(await store.put('expires-20400101T000000Z-30d/a/1.bin', someBytes(10))).toBe('created');
  await driver.close();
});

test('folders and files are for their owner only, whatever the umask', async () => {
  const umask = process.umask(0);
  try {
    const inside = join(folder, 'made', 'by the driver');
    const driver = await FilesystemDriver.start(inside);
    const store = new TestStore({ driver, stop: () => driver.close() });
    await store.put('blobs/orders/common/a/b', someBytes(10));
    const modes = [
      '',
      OWN_FOLDER,
      `${OWN_FOLDER}/temporary`,
      'blobs',
      'blobs/orders',
      'blobs/orders/common/a',
    ];
    for (const path of modes) expect(statSync(join(inside, path)).mode & 0o777, path).toBe(0o700);
    expect(statSync(join(inside, 'blobs/orders/common/a/b')).mode & 0o777).toBe(0o600);
    await driver.close();
  } finally {
    process.umask(umask);
  }
});
