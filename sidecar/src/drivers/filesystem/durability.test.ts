import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { newFolder, removeFolder } from './folder.fixture.ts';
import { inProcess } from './own-process.fixture.ts';

const TRACE = [
  '-f',
  '-y',
  '-e',
  'trace=fsync,fdatasync,link,linkat,rename,renameat,renameat2,access,faccessat,faccessat2',
];
const traceable = spawnSync('strace', ['-f', 'true']).status === 0;
if (!traceable) console.info('skipped tests of fsync calls: strace is missing or may not trace here');

const WINDOW = 'expires-20400101T000000Z-30d';
const COMMON = `${WINDOW}/orders/common`;
const LEVELS = ['', WINDOW, `${WINDOW}/orders`, COMMON];

describe.skipIf(!traceable)('calls to the kernel', () => {
  let folder: string;
  beforeEach(() => {
    folder = newFolder();
  });
  afterEach(() => removeFolder(folder));

  test('bytes are on the disk before they are named, and every folder on the way before it is acknowledged', async () => {
    const calls = join(folder, 'calls');
    const data = join(folder, 'data');
    await inProcess('durability', [data], ['strace', ...TRACE, '-o', calls]);
    const steps = stepsOf(readFileSync(calls, 'utf8'), data);

    const created = steps.get('create') ?? [];
    expect(created.indexOf('fdatasync a temporary file')).toBe(0);
    expect(created[1]).toBe('link');
    const allLevels = LEVELS.map((path) => `fsync ${path}`).sort();
    // The first attempt finds that the folders are missing.
    expect(
      created
        .slice(1)
        .filter((call) => call !== 'link')
        .sort(),
    ).toEqual(allLevels);

    expect(steps.get('neighbour')?.slice(2)).toEqual([`fsync ${COMMON}`]);
    // Another process may have made the object, and may not have synced it yet.
    expect(steps.get('hit')?.sort()).toEqual(allLevels);
    const replaced = steps.get('replace') ?? [];
    expect(replaced.slice(0, 3)).toEqual(['fdatasync a temporary file', 'link', 'rename']);
    expect(replaced).toContain(`fsync ${COMMON}`);
  });
});

/** The calls of each step of the scenario in order, paths relative to the data folder. */
function stepsOf(trace: string, data: string): Map<string, string[]> {
  const steps = new Map<string, string[]>();
  let calls: string[] = [];
  for (const line of trace.split('\n')) {
    const step = /access.*"\/step-([a-z]+)"/.exec(line)?.[1];
    if (step !== undefined) {
      calls = [];
      steps.set(step, calls);
    }
    const sync = /(fsync|fdatasync)\([0-9]+<([^>]+)>/.exec(line);
    if (sync?.[2]?.includes('/.payload-store/')) calls.push(`${sync[1]} a temporary file`);
    else if (sync?.[2] !== undefined) calls.push(`${sync[1]} ${sync[2].slice(data.length + 1)}`);
    else if (/\b(link|linkat)\(/.test(line)) calls.push('link');
    else if (/\brename(at2?)?\(/.test(line)) calls.push('rename');
  }
  return steps;
}
