import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { MissingProgramError } from '@largepayload/tools/missing-program';

const run = promisify(execFile);
const PROGRESS_INTERVAL = 10_000;

export interface GoBuild {
  readonly what: string;
  /** Expected duration, for the progress message. */
  readonly expected: string;
  /** Arguments of `go`. They include `-v`, whose output shows progress. */
  readonly args: readonly string[];
  readonly environment?: NodeJS.ProcessEnv | undefined;
  readonly folder?: string | undefined;
}

/** Names Go's version and target, which change what is built. @throws MissingProgramError without Go */
export async function goToolchain(name: string): Promise<string> {
  const { stdout } = await run('go', ['env', 'GOVERSION', 'GOOS', 'GOARCH']).catch((cause: Error) => {
    throw new MissingProgramError(
      `Go is needed to build ${name} from its sources, and \`go\` cannot be run: ${cause.message}. ` +
        'Install Go 1.26 or newer so that `go version` works (https://go.dev/doc/install), and run this again.',
      { cause },
    );
  });
  return stdout.trim().split('\n').join('-');
}

/** Flags for a small program whose bytes do not depend on the folder of the build. */
export function goFlags(linkerFlags = ''): string[] {
  return ['-trimpath', '-ldflags', `-s -w ${linkerFlags}`.trim()];
}

/** @throws Error with the last lines that Go wrote */
export async function runGoBuild(build: GoBuild, say: (line: string) => void): Promise<void> {
  const started = performance.now();
  const seconds = () => `${((performance.now() - started) / 1_000).toFixed(0)} s`;
  say(`building ${build.what} into the cache, once; ${build.expected}`);
  const go = spawn('go', build.args, {
    cwd: build.folder,
    env: { ...process.env, ...build.environment, CGO_ENABLED: '0' },
    stdio: ['ignore', 'inherit', 'pipe'],
  });
  let packages = 0;
  const lastLines: string[] = [];
  const progress = setInterval(() => say(`  ${packages} packages compiled, ${seconds()}`), PROGRESS_INTERVAL);
  createInterface({ input: go.stderr }).on('line', (line) => {
    packages += 1;
    lastLines.push(line);
    if (lastLines.length > 20) lastLines.shift();
  });
  const [code] = (await once(go, 'close').finally(() => clearInterval(progress))) as [number | null];
  if (code !== 0) throw new Error(`building ${build.what} failed:\n${lastLines.join('\n')}`);
  say(`built ${build.what} in ${seconds()}`);
}
