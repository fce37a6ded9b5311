import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** A control group whose processes may use so much memory; it is removed at the end of a `using` scope, if they ended. */
export interface MemoryCgroup extends Disposable {
  /** before a command line that is to run in it */
  readonly wrapper: readonly string[];
  /** bytes that its processes used at most, what the kernel keeps for them and cached files included */
  peak(): number;
}

const VERSION_1 = '/sys/fs/cgroup/memory';
const VERSION_2 = '/sys/fs/cgroup';

/** @throws Error that says why there can be none here */
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
