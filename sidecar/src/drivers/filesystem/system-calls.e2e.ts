import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { newFolder, removeFolder } from './folder.fixture.ts';
import { inProcess } from './own-process.fixture.ts';

const traceable = spawnSync('strace', ['-f', 'true']).status === 0;
if (!traceable)
  console.info('skipped tests that count system calls: strace is missing or may not trace here');

interface Call {
  /** without suffixes that only say which variant it is: `openat` is `open` */
  readonly name: string;
  readonly isOnMainThread: boolean;
}

describe.skipIf(!traceable)('system calls on the data folder', () => {
  let folder: string;
  beforeEach(() => {
    // A tmpfs, which counts as local everywhere.
    folder = newFolder('/dev/shm');
  });
  afterEach(() => removeFolder(folder));

  test('are as few as durable puts and verified reads need, and run in the thread pool, except the opening of a file that was read a moment ago', async () => {
    const trace = join(folder, 'trace');
    const data = join(folder, 'data');
    await inProcess('systemCalls', [data], ['strace', '-f', '-y', '-o', trace]);
    const steps = stepsOf(readFileSync(trace, 'utf8'), data);
    const names = (step: string) => steps.get(step)?.map(({ name }) => name);

    // The file is looked for, the temporary file made, written, synced and linked; then the folder is synced.
    const put = ['open', 'open', 'write', 'fdatasync', 'link'];
    const afterwards = ['close', 'close', 'fsync', 'open', 'unlink'];
    for (const step of ['put-128k', 'put-1m']) {
      expect(names(step)?.slice(0, 5), step).toEqual(put);
      expect(names(step)?.slice(5).sort(), step).toEqual(afterwards);
    }
    const read = ['open', 'stat', 'read', 'close'];
    expect(names('hit-1m')).toEqual([...read, 'open', 'fsync', 'close']);
    expect(names('get-1m')).toEqual(read);
    expect(names('get-1m-again')).toEqual(read);

    const onMainThread = (step: string) =>
      steps
        .get(step)
        ?.filter((call) => call.isOnMainThread)
        .map(({ name }) => name);
    for (const step of ['put-128k', 'put-1m', 'hit-1m', 'get-1m'])
      expect(onMainThread(step), step).toEqual([]);
    expect(onMainThread('get-1m-again')).toEqual(['open', 'stat']);
  });
});

/** The calls of each step of the scenario on files and folders below `data`, in order of their beginning. */
function stepsOf(trace: string, data: string): Map<string, Call[]> {
  const steps = new Map<string, Call[]>();
  let calls: Call[] = [];
  let mainThread: string | undefined;
  for (const line of trace.split('\n')) {
    const [, thread, name = ''] = /^([0-9]+) +([a-z0-9_]+)\(/.exec(line) ?? [];
    const step = /"\/step-([a-z0-9-]+)"/.exec(line)?.[1];
    if (step !== undefined) {
      mainThread = thread;
      calls = [];
      steps.set(step, calls);
    } else if (name !== '' && line.includes(`${data}/`)) {
      calls.push({ name: withoutVariant(name), isOnMainThread: thread === mainThread });
    }
  }
  return steps;
}

function withoutVariant(call: string): string {
  return call
    .replace(/^(openat|linkat|unlinkat|renameat)$/, (name) => name.slice(0, -2))
    .replace(/^(statx|fstat|newfstatat)$/, 'stat');
}
