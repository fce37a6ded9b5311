import { constants, readdirSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { newFolder, removeFolder } from './folder.fixture.ts';
import { OpenFile } from './open-file.ts';

const MIB = 1024 * 1024;

let folder: string;
let path: string;
beforeEach(() => {
  folder = newFolder();
  path = join(folder, 'file');
  writeFileSync(path, Buffer.alloc(4 * MIB, 'ours'));
});
afterEach(() => removeFolder(folder));

const open = () => OpenFile.open(path, constants.O_RDONLY);

function isOpen(file: string): boolean {
  return readdirSync('/proc/self/fd').some((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`) === file;
    } catch {
      return false;
    }
  });
}

test('a read begins where the last one ended, and gives 0 bytes at the end of the file', async () => {
  const file = await open();
  const buffer = Buffer.alloc(3 * MIB);
  expect(await file.read(buffer, 0)).toBe(3 * MIB);
  expect(await file.read(buffer, MIB)).toBe(MIB);
  expect(await file.read(buffer, 0)).toBe(0);
  await file.close();
});

test('a file that is closed during a read stays open until the read ends, so no other file gets its descriptor', async () => {
  for (let round = 0; round < 20; round += 1) {
    const file = await open();
    const buffer = Buffer.alloc(4 * MIB);
    const reading = file.read(buffer, 0);
    const closing = file.close();
    const others = await Promise.all([1, 2, 3].map(() => OpenFile.open('/dev/zero', constants.O_RDONLY)));
    expect(await reading).toBe(4 * MIB);
    expect(buffer.subarray(0, 4).toString()).toBe('ours');
    await Promise.all([closing, ...others.map((other) => other.close())]);
    expect(isOpen(path)).toBe(false);
  }
});

test('calls after the close reject, and do not reach another file with the same descriptor', async () => {
  const file = await open();
  const closing = file.close();
  const closed = { code: 'EBADF' };
  await expect(file.read(Buffer.alloc(1), 0)).rejects.toMatchObject(closed);
  await closing;
  const other = await OpenFile.open(path, constants.O_RDWR);
  for (const call of [file.status(), file.write(Buffer.from('theirs'), 0), file.datasync(), file.sync()]) {
    await expect(call).rejects.toMatchObject(closed);
  }
  const buffer = Buffer.alloc(4);
  expect(await other.read(buffer, 0)).toBe(4);
  expect(buffer.toString()).toBe('ours');
  await other.close();
});

test('closing twice closes once', async () => {
  const file = await open();
  await Promise.all([file.close(), file.close()]);
  const other = await open();
  await file.close();
  expect(await other.read(Buffer.alloc(10), 0)).toBe(10);
  await other.close();
});

test('an open that fails, and a call that fails, reject with the code of the system', async () => {
  await expect(OpenFile.open(join(folder, 'absent'), constants.O_RDONLY)).rejects.toMatchObject({
    code: 'ENOENT',
  });
  const file = await open();
  await expect(file.write(Buffer.from('x'), 0)).rejects.toMatchObject({ code: 'EBADF' });
  await file.close();
});
