import { promises } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { RenewedFile } from './renewed-file.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'codec-files-'));
  vi.useFakeTimers({ toFake: ['performance', 'setTimeout', 'clearTimeout'] });
});
afterEach(() => {
  vi.useRealTimers();
  vi.restoreAllMocks();
  return rm(folder, { recursive: true });
});

test('A file of a mount that hangs keeps its value after 5 s, and one thread waits for it.', async () => {
  const path = join(folder, 'token');
  await writeFile(path, 'first');
  const onKept = vi.fn();
  const file = new RenewedFile({ path, mostBytes: 100, parse: (text) => text, onKept });
  expect(await file.value()).toBe('first');
  const { promise: hanging, resolve } = Promise.withResolvers<promises.FileHandle>();
  const open = vi.spyOn(promises, 'open').mockReturnValue(hanging);
  for (let second = 0; second < 3; second += 1) {
    vi.advanceTimersByTime(1_000);
    const values = [file.value(), file.value()];
    const refused = expect(file.value('first')).rejects.toThrow('no answer for 5000 ms');
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await Promise.all(values)).toEqual(['first', 'first']);
    await refused;
  }
  expect(open).toHaveBeenCalledTimes(1);
  expect(onKept).toHaveBeenCalledTimes(1);
  open.mockRestore();
  await writeFile(path, 'second');
  resolve(await promises.open(path));
  await vi.waitFor(async () => expect(await file.value('first')).toBe('second'));
});
