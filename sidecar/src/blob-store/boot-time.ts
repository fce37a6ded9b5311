import { readFileSync } from 'node:fs';

/** A moment on the monotonic clock that all processes of one boot of a machine share. */
export interface BootTime {
  /** of this boot, random */
  readonly id: string;
  /** ms; stands still while the machine sleeps */
  readonly at: number;
}

let id: string | undefined;

/** `undefined`: the system does not tell its boots apart. */
export function bootTimeNow(): BootTime | undefined {
  try {
    id ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  } catch {
    return undefined;
  }
  return { id, at: Number(process.hrtime.bigint() / 1_000_000n) };
}
