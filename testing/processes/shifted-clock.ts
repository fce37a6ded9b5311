import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export interface ShiftedClock {
  /** Sets how far the clock is off from now on, ms. */
  set(offset: number): Promise<void>;
  readonly nodeOptions: readonly string[];
}

/**
 * A clock for a process, off by some ms; its monotonic clock stays as it is.
 * @param folder of its own
 * @param ofMachine whether files are stamped by that clock, too, as where the clock of the machine itself is wrong
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
    import { readFileSync } from 'node:fs';
    import { open } from 'node:fs/promises';
    const now = Date.now;
    const offset = () => Number(readFileSync(${JSON.stringify(file)}, 'utf8') || 0);
    Date.now = () => now() + offset();
  `;
}

const SHIFT_FILE_TIMES = `
  const handle = await open('/dev/null');
  const proto = Object.getPrototypeOf(handle);
  await handle.close();
  const stat = proto.stat;
  proto.stat = async function (...args) {
    const status = await stat.apply(this, args);
    status.mtimeMs += offset();
    return status;
  };
`;
