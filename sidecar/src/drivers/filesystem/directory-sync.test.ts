import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { DirectorySync } from './directory-sync.ts';
import { newFolder, removeFolder } from './folder.fixture.ts';
import { OpenFile } from './open-file.ts';

// Which folders are opened to be fsynced cannot be seen from outside the process; that they are is seen by strace in
// durability.test.ts.
const opened = vi.spyOn(OpenFile, 'open');

let root: string;
let folders: DirectorySync;
beforeEach(() => {
  root = newFolder();
  folders = new DirectorySync(root);
});
afterEach(() => removeFolder(root));

/** Makes and settles the folder; the folders that were synced for it, without the root's path. */
async function settled(...names: string[]): Promise<string[]> {
  opened.mockClear();
  const settle = async (name: string) => {
    await folders.make(join(root, name));
    await folders.settle(join(root, name));
  };
  await Promise.all(names.map(settle));
  return opened.mock.calls.map(([path]) => String(path).slice(root.length)).sort();
}

test('every level is synced the first time, and later only levels that are not known to be durable', async () => {
  expect(await settled('a/b/c')).toEqual(['', '/a', '/a/b', '/a/b/c']);
  expect(await settled('a/b/d')).toEqual(['/a/b', '/a/b/d']);
  expect(await settled('a/b/d')).toEqual(['/a/b/d']);
  expect(await settled('a/e/f')).toEqual(['/a', '/a/e', '/a/e/f']);
});

test('a folder that was removed and made again is synced again', async () => {
  await settled('a/b/c');
  rmSync(join(root, 'a'), { recursive: true });
  expect(await settled('a/b/c')).toEqual(['', '/a', '/a/b', '/a/b/c']);
  rmSync(join(root, 'a/b'), { recursive: true });
  expect(await settled('a/b')).toEqual(['/a', '/a/b']);
});

test('concurrent calls for a folder share an fsync that began after they asked', async () => {
  await settled('a/b');
  const synced = await settled(...Array.from({ length: 40 }, () => 'a/b'));
  expect(synced.filter((name) => name === '/a/b').length).toBeLessThanOrEqual(3);
  expect(synced.length).toBeGreaterThanOrEqual(2);
});

test('a call made during an fsync waits for a later fsync', async () => {
  await settled('a');
  opened.mockClear();
  const first = folders.settle(join(root, 'a'));
  const second = folders.settle(join(root, 'a'));
  await Promise.all([first, second]);
  expect(opened.mock.calls.filter(([path]) => path === join(root, 'a'))).toHaveLength(2);
});

test('an fsync that fails rejects all calls that share it, and is forgotten', async () => {
  const absent = join(root, 'absent');
  const outcomes = await Promise.allSettled(Array.from({ length: 5 }, () => folders.settle(absent)));
  expect(outcomes.map(({ status }) => status)).toEqual(Array.from({ length: 5 }, () => 'rejected'));
  expect(await settled('absent')).toEqual(expect.arrayContaining(['', '/absent']));
});

test('the root is never made', async () => {
  rmSync(root, { recursive: true });
  await expect(folders.make(join(root, 'a/b/c'))).rejects.toThrow(/ENOENT/);
  await expect(folders.make(join(root, 'a'))).rejects.toThrow(/ENOENT/);
  expect(existsSync(root)).toBe(false);
});

test('many calls at once make and settle neighbouring folders', async () => {
  const names = Array.from({ length: 60 }, (_, index) => `a/${index % 3}/b/${index}`);
  const synced = new Set(await settled(...names));
  for (const name of ['', '/a', '/a/0/b', '/a/2/b/59']) expect(synced).toContain(name);
});
