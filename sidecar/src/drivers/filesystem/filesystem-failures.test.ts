import { execFileSync, spawn } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  contentOf,
  factsOf,
  inChunks,
  never,
  putInto,
  someBytes,
  someName,
  TestStore,
} from '../conformance/subject.ts';
import { FilesystemDriver } from './filesystem-driver.ts';
import { removeFolder, startInFolder } from './folder.fixture.ts';
import { objectPath } from './object-paths.ts';
import { OWN_FOLDER } from './temporary-files.ts';

const UNAVAILABLE = { name: 'StorageError', failure: 'unavailable' };
const name = someName('failures');

let folder: string;
let store: TestStore;
beforeEach(async () => {
  const started = await startInFolder();
  folder = started.folder;
  store = new TestStore(started);
});
afterEach(() => store.stop());

/** Puts a body that calls `change` half-way. */
function putWhile(change: () => void): Promise<string> {
  const bytes = someBytes(2 * 1024 * 1024);
  const body = async function* () {
    yield* inChunks(bytes.subarray(0, 1024 * 1024));
    change();
    yield* inChunks(bytes.subarray(1024 * 1024));
  };
  return putInto(store.driver, name, body(), factsOf(bytes), { signal: never() });
}

test('a put fails whose temporary files are removed meanwhile, and the next put succeeds', async () => {
  const put = putWhile(() =>
    removeFolder(
      join(folder, OWN_FOLDER, 'temporary', readdirSync(join(folder, OWN_FOLDER, 'temporary'))[0] ?? ''),
    ),
  );
  await expect(put).rejects.toMatchObject(UNAVAILABLE);
  expect(await store.names()).toEqual([]);
  expect(await store.put(name, someBytes(10))).toBe('created');
});

test('a data folder that goes during a put is not made again', async () => {
  await expect(putWhile(() => removeFolder(folder))).rejects.toMatchObject(UNAVAILABLE);
  expect(existsSync(folder)).toBe(false);
});

test('a driver without its data folder stores and makes nothing', async () => {
  await store.put(name, someBytes(10));
  renameSync(folder, `${folder}-moved`);
  try {
    await expect(store.put(name, someBytes(10))).rejects.toMatchObject(UNAVAILABLE);
    await expect(store.driver.currentTime(never())).rejects.toMatchObject(UNAVAILABLE);
    expect(existsSync(folder)).toBe(false);
  } finally {
    renameSync(`${folder}-moved`, folder);
  }
  expect(await store.holds(name, someBytes(10))).toBe(true);
});

test('a delete without its data folder does not remove the folder above it', async () => {
  const inside = join(folder, 'mounted', 'data');
  const driver = await FilesystemDriver.start(inside);
  removeFolder(inside);
  await driver.delete([name], never());
  await driver.close();
  expect(existsSync(dirname(inside))).toBe(true);
});

test('an empty folder in place of the mounted one is not taken for the store', async () => {
  await store.put(name, someBytes(10));
  renameSync(folder, `${folder}-moved`);
  mkdirSync(folder);
  try {
    await expect(store.put(name, someBytes(10))).rejects.toMatchObject(UNAVAILABLE);
    expect(readdirSync(folder)).toEqual([]);
  } finally {
    removeFolder(folder);
    renameSync(`${folder}-moved`, folder);
  }
});

test('a file in place of the data folder is refused at the start', async () => {
  writeFileSync(join(folder, 'file'), '');
  await expect(FilesystemDriver.start(join(folder, 'file'))).rejects.toMatchObject(UNAVAILABLE);
});

test.each(['/proc/payloads', '/proc/below/payloads'])(
  'the data folder %s, where no folder can be made, is refused at the start by a message that names the place',
  async (data) => {
    const refused = { ...UNAVAILABLE, message: expect.stringContaining('/proc takes no new folders') };
    await expect(FilesystemDriver.start(data)).rejects.toMatchObject(refused);
  },
);

test('a data folder below a file is refused at the start', async () => {
  writeFileSync(join(folder, 'file'), '');
  const refused = { ...UNAVAILABLE, message: expect.stringContaining('not a folder') };
  await expect(FilesystemDriver.start(join(folder, 'file', 'data'))).rejects.toMatchObject(refused);
});

test('a file whose opening hangs, as on a mount that is gone, holds up its own request only', async () => {
  const hanging = objectPath(folder, name);
  mkdirSync(dirname(hanging), { recursive: true });
  // Opening a pipe waits until a process opens its other end.
  execFileSync('mkfifo', [hanging]);
  // So that a process that waits for it does not wait for ever.
  const opener = spawn('sh', ['-c', 'sleep 10 && : <>"$1"', 'sh', hanging]);
  let isOpened = false;
  const opening = store.driver.open(name, never()).then((blob) => {
    isOpened = true;
    return blob;
  });
  try {
    for (const index of [1, 2, 3]) {
      expect(await store.put(someName(index), someBytes(1_000))).toBe('created');
      expect(await store.holds(someName(index), someBytes(1_000))).toBe(true);
    }
    expect(isOpened).toBe(false);
  } finally {
    opener.kill();
    closeSync(openSync(hanging, constants.O_RDWR | constants.O_NONBLOCK));
  }
  expect(await opening).toBeUndefined();
});

test('a folder in place of an object is no object, and puts and deletes of it fail', async () => {
  mkdirSync(objectPath(folder, name), { recursive: true });
  expect(await store.get(name)).toBeUndefined();
  await expect(store.put(name, someBytes(10))).rejects.toMatchObject(UNAVAILABLE);
  expect((await store.driver.delete([name], never())).failed).toMatchObject([{ name, error: UNAVAILABLE }]);
});

test('a name that cannot be deleted does not keep the others', async () => {
  await store.put(someName(1), someBytes(10));
  mkdirSync(join(objectPath(folder, name), 'in the way'), { recursive: true });
  const { deleted, failed } = await store.driver.delete([name, someName(1)], never());
  expect(deleted).toEqual([someName(1)]);
  expect(failed).toHaveLength(1);
});

test.each([1_000, 2 * 1024 * 1024])('a read of %d bytes that fails is a StorageError', async (size) => {
  await store.put(name, someBytes(size));
  const blob = await store.driver.open(name, never());
  await blob?.close();
  await expect(contentOf(blob)).rejects.toMatchObject(UNAVAILABLE);
});

test.each(['../outside', 'a/../../outside', 'a//b', 'a/./b', 'a/', '', 'a/\0b', '//a'])(
  'the name %j is refused',
  async (bad) => {
    await expect(store.put(bad, someBytes(1))).rejects.toThrow(/not an object name/);
    await expect(store.driver.open(bad, never())).rejects.toThrow(/not an object name/);
    expect(existsSync(join(dirname(folder), 'outside'))).toBe(false);
  },
);

test('symbolic links are neither listed nor followed by a listing', async () => {
  await store.put(name, someBytes(10));
  const window = join(folder, name.slice(0, name.indexOf('/')));
  symlinkSync('/etc', join(window, 'linked-folder'));
  symlinkSync('/etc/hostname', join(window, 'linked-file'));
  symlinkSync('..', join(window, 'loop'));
  symlinkSync('/etc', join(folder, 'expires-20400105T000000Z-30d'));
  expect(await store.names()).toEqual([name]);
  expect(await store.folders('expires-')).toHaveLength(1);
});

test('removeFolder takes the empty folders that killed processes left, and stays below the data folder', async () => {
  mkdirSync(join(folder, 'expires-20400101T000000Z-30d/orders/custom/wf/1'), { recursive: true });
  mkdirSync(join(folder, 'expires-20400101T000000Z-30d/orders/custom/wf/2'), { recursive: true });
  await store.driver.removeFolder('expires-20400101T000000Z-30d/', never());
  expect(readdirSync(folder)).toEqual([OWN_FOLDER]);
});

test('removeFolder holds one folder open a level, however wide the tree is', async () => {
  const window = 'expires-20400101T000000Z-30d';
  const digits = Array.from({ length: 12 }, (_, digit) => String(digit));
  for (const first of digits) {
    for (const second of digits) {
      mkdirSync(join(folder, window, 'orders', first, second, 'a', 'b'), { recursive: true });
    }
  }
  let most = 0;
  const watching = setInterval(() => {
    most = Math.max(most, readdirSync('/proc/self/fd').length);
  }, 1);
  const before = readdirSync('/proc/self/fd').length;
  await store.driver.removeFolder(`${window}/`, never());
  clearInterval(watching);
  expect(existsSync(join(folder, window))).toBe(false);
  expect(most - before).toBeLessThan(60);
});
