import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { newFolder, removeFolder } from '../drivers/filesystem/folder.fixture.ts';

const MIB = 1024 * 1024;
/** A filesystem in memory: making 20,000 folders on a disk takes longer than all other tests. */
const SHARED_MEMORY = '/dev/shm';
const PROGRAM = fileURLToPath(new URL('reap-memory.fixture.ts', import.meta.url));

let folder: string;
beforeEach(() => {
  folder = newFolder(existsSync(SHARED_MEMORY) ? SHARED_MEMORY : undefined);
});
afterEach(() => removeFolder(folder));

/** Highest heap while a window of so many objects is reaped, above what it was before, in bytes. */
async function heapToReap(objects: number): Promise<number> {
  const args = ['--expose-gc', '--conditions=largepayload-source', PROGRAM, folder, String(objects)];
  const { stdout } = await promisify(execFile)(process.execPath, args, {
    env: { ...process.env, NODE_OPTIONS: '' },
  });
  const { heap, resident, left } = JSON.parse(stdout) as { heap: number; resident: number; left: number };
  console.info(
    `reaping ${objects} objects: heap +${(heap / MIB).toFixed(1)} MiB, resident +${(resident / MIB).toFixed(1)} MiB`,
  );
  expect(left).toBe(0);
  return heap;
}

test('reaping 20,000 objects takes about the memory of reaping 4,000', async () => {
  const few = await heapToReap(4_000);
  const many = await heapToReap(20_000);
  expect(many).toBeLessThan(few + 4 * MIB);
});
