import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const run = promisify(execFile);
const SCENARIOS = fileURLToPath(new URL('scenarios.fixture.ts', import.meta.url));
const TIME_LIMIT = 25_000;

/** Puts the process into a mount namespace of its own, with the right to mount in it. */
const UNSHARE =
  process.getuid?.() === 0 ? ['unshare', '--mount'] : ['unshare', '--mount', '--map-root-user', '--user'];

/** Why this machine does not let tests mount filesystems; `undefined` when it does. */
export function mountRefusal(): string | undefined {
  const [command = '', ...options] = UNSHARE;
  const attempt = spawnSync(command, [...options, 'mount', '-t', 'tmpfs', 'none', '/mnt'], {
    encoding: 'utf8',
  });
  if (attempt.status === 0) return undefined;
  return `no private mounts here: ${attempt.error?.message ?? attempt.stderr.trim()}`;
}

/** Runs a function of scenarios.fixture.ts in a process of its own; what it returns. */
export async function inProcess<T>(
  scenario: string,
  args: readonly string[],
  wrapper: readonly string[] = [],
): Promise<T> {
  const [command = '', ...rest] = [...wrapper, process.execPath, SCENARIOS, scenario, ...args];
  // Without io_uring, so that strace sees every call.
  const env = { ...process.env, UV_USE_IO_URING: '0', NODE_NO_WARNINGS: '1', NODE_OPTIONS: '' };
  const { stdout } = await run(command, rest, { timeout: TIME_LIMIT, env });
  return JSON.parse(stdout) as T;
}

/** As `inProcess`, with a small filesystem in memory mounted over the folder, which only that process sees. */
export async function onSmallDisk<T>(scenario: string, folder: string, mountOptions: string): Promise<T> {
  const mountAndRun = 'mount -t tmpfs -o "$1" none "$2" && shift 2 && exec "$@"';
  return await inProcess(
    scenario,
    [folder],
    [...UNSHARE, 'sh', '-c', mountAndRun, 'sh', mountOptions, folder],
  );
}
