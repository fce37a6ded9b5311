import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { newFolder, removeFolder } from './folder.fixture.ts';
import { mountRefusal, onSmallDisk } from './own-process.fixture.ts';

const refusal = mountRefusal();
if (refusal !== undefined) console.info(`skipped tests of full and read-only disks: ${refusal}`);

describe.skipIf(refusal !== undefined)('a disk', () => {
  let folder: string;
  beforeEach(() => {
    folder = newFolder();
  });
  afterEach(() => removeFolder(folder));

  test('that is full refuses an object, keeps the others, leaves no parts, and takes an object that fits', async () => {
    const full = expect.stringMatching(/^full: cannot store the payload: no space left$/);
    const result = await onSmallDisk<Record<string, unknown>>('fullDisk', folder, 'size=8m');
    expect(result).toMatchObject({
      first: 'created',
      tooLarge: full,
      files: [expect.stringMatching(/^sha256:[0-9a-f]{64}\.sha256:0{64}$/)],
      smaller: 'created',
      intact: true,
      deleted: 1,
      afterwards: 'created',
    });
    // Together they do not fit; which of them do depends on who comes first.
    for (const outcome of result.concurrent as string[])
      expect(['created', result.tooLarge]).toContain(outcome);
  });

  test('without room for another file lets a driver start and read the clock, so that the reaper can make room', async () => {
    const result = await onSmallDisk<Record<string, unknown>>('noMoreFiles', folder, 'size=8m,nr_inodes=64');
    const full = expect.stringMatching(/^full: /);
    expect(result).toMatchObject({
      ...{ last: full, full, fullForSecond: full },
      hit: 'existed',
      deleted: 8,
      afterwards: ['created', 'created'],
    });
    expect(result.stored).toBeGreaterThan(20);
    for (const [difference, passed] of result.times as [number, number][]) {
      expect(difference).toBeLessThan(10_000);
      expect(passed).toBeGreaterThan(900);
    }
  });

  test('that is read-only serves its objects, and the message says why it takes no more', async () => {
    const refused = expect.stringMatching(/^unavailable: cannot .*: the filesystem is mounted read-only$/);
    expect(await onSmallDisk('readOnly', folder, 'size=8m')).toEqual({
      put: refused,
      hit: 'existed',
      readable: true,
      time: refused,
      failed: 1,
      start: refused,
    });
  });
});
