import { execFileSync, spawn } from 'node:child_process';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ByteSink } from '../../bytes/byte-streams.ts';
import { someBytes } from '../conformance/subject.ts';
import { openFile } from './file-blob.ts';
import { newFolder, removeFolder } from './folder.fixture.ts';
import { RecentPaths } from './recent-paths.ts';

const MIB = 1024 * 1024;
const LEFT = new Error('the reader has left');

let folder: string;
let path: string;
beforeEach(() => {
  folder = newFolder();
  path = join(folder, 'file');
});
afterEach(() => removeFolder(folder));

/** The chunks that a read of the file lends; `onChunk` is called while the sink uses one. */
async function read(onChunk: (chunk: Buffer) => unknown = () => {}): Promise<number[]> {
  const lengths: number[] = [];
  const sink: ByteSink = {
    async write(chunk) {
      lengths.push(chunk.length);
      await onChunk(chunk);
    },
  };
  await (await openFile(path))?.readInto(sink);
  return lengths;
}

test.each([
  [64 * 1024, [64 * 1024]],
  [128 * 1024, [128 * 1024]],
  [MIB, [MIB]],
  [MIB + 1, [MIB / 2, MIB / 2, 1]],
  [1.5 * MIB, [MIB / 2, MIB / 2, MIB / 2]],
])('a file of %d bytes is lent in chunks of %j bytes', async (size, chunks) => {
  writeFileSync(path, someBytes(size));
  expect(await read()).toEqual(chunks);
});

test.each([128 * 1024, 3 * MIB])(
  'the buffer of a write of %d bytes that failed is not overwritten by later reads',
  async (size) => {
    const bytes = someBytes(size, 'first');
    writeFileSync(path, bytes);
    let used = Buffer.alloc(0);
    const leaving = read((chunk) => {
      used = chunk as Buffer<ArrayBuffer>;
      throw LEFT;
    });
    await expect(leaving).rejects.toBe(LEFT);
    writeFileSync(path, someBytes(size, 'second'));
    for (let again = 0; again < 5; again += 1) await read();
    expect(used.equals(bytes.subarray(0, used.length))).toBe(true);
  },
);

test('a file that is cut short while it is read ends early, and a file that grows ends where it ended before', async () => {
  writeFileSync(path, someBytes(4 * MIB));
  const blob = await openFile(path);
  truncateSync(path, MIB + 10);
  let seen = 0;
  await blob?.readInto({
    write(chunk) {
      seen += chunk.length;
      return undefined;
    },
  });
  expect(seen).toBe(MIB + 10);
  for (const size of [100_000, 2 * MIB]) {
    writeFileSync(path, someBytes(size));
    const grown = await openFile(path);
    writeFileSync(path, someBytes(2 * size));
    seen = 0;
    await grown?.readInto({
      write(chunk) {
        seen += chunk.length;
        return undefined;
      },
    });
    expect(seen).toBe(size);
  }
});

test('a recent path that has become a pipe does not block the process', async () => {
  const recent = new RecentPaths();
  // A tmpfs, whose files may be opened at once.
  await recent.learn('/dev/shm');
  recent.add(path);
  execFileSync('mkfifo', [path]);
  // Opens the other end, so that this process does not wait for ever.
  const opener = spawn('sh', ['-c', 'sleep 4 && : <>"$1"', 'sh', path]);
  const begin = performance.now();
  expect(await openFile(path, recent)).toBeUndefined();
  expect(performance.now() - begin).toBeLessThan(3_000);
  opener.kill();
});
