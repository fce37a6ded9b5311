import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { createInterface } from 'node:readline';
import { promisify } from 'node:util';
import { cacheFolder, moveIntoCache } from './cache-folder.ts';
import { MissingProgramError } from './missing-program.ts';

const run = promisify(execFile);
const PROGRESS_INTERVAL = 10_000;

export interface GoProgram {
  /** Path of its main package, whose last segment names the program. */
  readonly package: string;
  /** Version of its module, e.g. `v1.5.1`. */
  readonly version: string;
  /** Linker flags beside those that leave out debug information. */
  readonly linkerFlags?: string | undefined;
}

/**
 * The path of a Go program, built unless the cache has it already.
 * @param say told about progress, a line at a time
 * @throws MissingProgramError without Go
 */
export async function goProgram(program: GoProgram, say: (line: string) => void): Promise<string> {
  const name = basename(program.package);
  const folder = join(cacheFolder(), `${name}-${program.version}-${await toolchain(name)}`);
  const file = join(folder, name);
  if (existsSync(file)) return file;
  mkdirSync(cacheFolder(), { recursive: true });
  const unfinished = mkdtempSync(`${folder}.building-`);
  try {
    await install(program, unfinished, say);
    moveIntoCache(unfinished, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return file;
}

/** Names Go's version and target, which change what is built. */
async function toolchain(name: string): Promise<string> {
  const { stdout } = await run('go', ['env', 'GOVERSION', 'GOOS', 'GOARCH']).catch((cause: Error) => {
    throw new MissingProgramError(
      `Go is needed to build ${name} from its sources, and \`go\` cannot be run: ${cause.message}. ` +
        'Install Go 1.25 or newer so that `go version` works (https://go.dev/doc/install), and run this again.',
      { cause },
    );
  });
  return stdout.trim().split('\n').join('-');
}

async function install(program: GoProgram, target: string, say: (line: string) => void): Promise<void> {
  const started = performance.now();
  const seconds = () => `${((performance.now() - started) / 1_000).toFixed(0)} s`;
  const what = `${program.package}@${program.version}`;
  say(`building ${what} into the cache, once; two to four minutes on 2 cores`);
  const flags = ['-trimpath', '-ldflags', `-s -w ${program.linkerFlags ?? ''}`.trim()];
  const go = spawn('go', ['install', '-v', ...flags, what], {
    env: { ...process.env, GOBIN: target, CGO_ENABLED: '0' },
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
  if (code !== 0) throw new Error(`go install ${what} failed:\n${lastLines.join('\n')}`);
  say(`built ${what} in ${seconds()}`);
}
