import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { basename, join } from 'node:path';
import { cacheFolder, makeInCache } from '@largepayload/tools/cache-folder';
import { type GoBuild, goFlags, goToolchain, runGoBuild } from './go-build.ts';

export interface GoProgram {
  /** Path of its main package, whose last segment names the program. */
  readonly package: string;
  /** Version of its module, e.g. `v1.5.1`. */
  readonly version: string;
  /** Linker flags, beside those that omit debug information. */
  readonly linkerFlags?: string | undefined;
}

/**
 * The path of a Go program, built unless the cache has it already.
 * @param say told about progress, a line at a time
 * @throws MissingProgramError without Go
 */
export async function goProgram(program: GoProgram, say: (line: string) => void): Promise<string> {
  const name = basename(program.package);
  const { version, linkerFlags } = program;
  const flags = linkerFlags ? `-${createHash('sha256').update(linkerFlags).digest('hex').slice(0, 8)}` : '';
  const folder = join(cacheFolder(), `${name}-${version}${flags}-${await goToolchain(name)}`);
  const file = join(folder, name);
  if (existsSync(file)) return file;
  await makeInCache(folder, (unfinished) => install(program, unfinished, say));
  return file;
}

async function install(program: GoProgram, target: string, say: (line: string) => void): Promise<void> {
  const what = `${program.package}@${program.version}`;
  const build: GoBuild = {
    what,
    expected: 'two to four minutes on 2 cores',
    args: ['install', '-v', ...goFlags(program.linkerFlags), what],
    environment: { GOBIN: target },
  };
  await runGoBuild(build, say);
}
