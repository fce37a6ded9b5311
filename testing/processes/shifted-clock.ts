import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface ShiftedClock {
  /** Sets the error of the clock, ms. */
  set(offset: number): Promise<void>;
  readonly nodeOptions: readonly string[];
}

/**
 * A wrong clock for a process. The monotonic clock of the process stays right.
 * @param folder of its own
 * @param ofMachine whether new files get the wrong time too, as when the clock of the machine is wrong
 */
export async function shiftedClock(
  folder: string,
  offset: number,
  { ofMachine = false } = {},
): Promise<ShiftedClock> {
  const file = join(folder, 'offset');
  const set = (milliseconds: number) => writeFile(file, String(milliseconds));
  await set(offset);
  const preload = join(folder, 'clock.mjs');
  await writeFile(preload, `${preloadText(file)}${ofMachine ? SHIFT_FILE_TIMES : ''}`);
  return { set, nodeOptions: ['--import', preload] };
}

function preloadText(file: string): string {
  return `
    import fs, { readFileSync } from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    const now = Date.now;
    const offset = () => Number(readFileSync(${JSON.stringify(file)}, 'utf8') || 0);
    Date.now = () => now() + offset();
  `;
}

const SHIFT_FILE_TIMES = `
  const { fstat } = fs;
  fs.fstat = (descriptor, done) =>
    fstat(descriptor, (error, status) => {
      if (status !== undefined) status.mtimeMs += offset();
      done(error, status);
    });
  syncBuiltinESMExports();
`;
