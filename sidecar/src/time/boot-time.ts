import { readFileSync } from 'node:fs';

/** A moment on the monotonic clock that all processes of one boot of a machine share. */
export interface BootTime {
  /** of this boot, random */
  readonly id: string;
  /** ms; stands still while the machine sleeps */
  readonly at: number;
}

/** Of the machine's present boot. @throws Error where the system does not distinguish its boots, as only Linux does */
export function bootId(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

let id: string | undefined;

/** `undefined`: the system does not distinguish its boots. */
export function bootTimeNow(): BootTime | undefined {
  try {
    id ??= bootId();
  } catch {
    return undefined;
  }
  return { id, at: Number(process.hrtime.bigint() / 1_000_000n) };
}
