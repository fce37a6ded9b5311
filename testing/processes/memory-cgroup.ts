import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A control group that limits the memory of its processes. The end of a `using` scope removes it, if they have ended. */
export interface MemoryCgroup extends Disposable {
  /** prefix of a command that runs in it */
  readonly wrapper: readonly string[];
  /** the most bytes that its processes used, including kernel memory and cached files */
  peak(): number;
}

const VERSION_1 = '/sys/fs/cgroup/memory';
const VERSION_2 = '/sys/fs/cgroup';

/** @throws Error with the reason why this machine allows none */
export function memoryCgroup(bytes: number): MemoryCgroup {
  const isVersion1 = existsSync(join(VERSION_1, 'memory.limit_in_bytes'));
  const folder = join(isVersion1 ? VERSION_1 : VERSION_2, `payload-store-test-${crypto.randomUUID()}`);
  mkdirSync(folder);
  const remove = () => rmdirSync(folder);
  try {
    writeFileSync(join(folder, isVersion1 ? 'memory.limit_in_bytes' : 'memory.max'), String(bytes));
    const peakFile = join(folder, isVersion1 ? 'memory.max_usage_in_bytes' : 'memory.peak');
    return {
      wrapper: ['sh', '-c', `echo $$ > "${folder}/cgroup.procs" && exec "$@"`, 'sh'],
      peak: () => Number(readFileSync(peakFile, 'utf8')),
      [Symbol.dispose]: remove,
    };
  } catch (error) {
    remove();
    throw error;
  }
}

/** Why this machine allows no control group that limits memory; `undefined`: it does. */
export function whyNoMemoryCgroup(): string | undefined {
  try {
    memoryCgroup(64 * 2 ** 20)[Symbol.dispose]();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}
