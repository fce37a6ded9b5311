import { createHash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { cacheFolder, makeInCache } from '@largepayload/tools/cache-folder';
import { goFlags, goToolchain, runGoBuild } from './go-build.ts';

export interface GoModule {
  readonly name: string;
  /** Folder of a go.mod whose `tool` lines name the programs; the sources of those that are ours are below it. */
  readonly folder: string;
  /** Expected duration, for the progress message. */
  readonly expected: string;
  readonly linkerFlags?: string | undefined;
}

/**
 * The folder with the programs of a Go module, built unless the cache has them already.
 * @throws MissingProgramError without Go
 */
export async function goModulePrograms(module: GoModule, say: (line: string) => void): Promise<string> {
  const key = createHash('sha256').update(module.linkerFlags ?? '');
  const files = readdirSync(module.folder, { recursive: true, withFileTypes: true }).filter((entry) =>
    entry.isFile(),
  );
  for (const file of files.map((entry) => join(entry.parentPath, entry.name)).sort())
    key.update(readFileSync(file));
  const version = key.digest('hex').slice(0, 12);
  const folder = join(cacheFolder(), `${module.name}-${version}-${await goToolchain(module.name)}`);
  if (existsSync(folder)) return folder;
  const build = (target: string) => ({
    what: module.name,
    expected: module.expected,
    environment: { GOWORK: 'off' },
    args: ['build', '-v', '-buildvcs=false', ...goFlags(module.linkerFlags), '-o', `${target}${sep}`, 'tool'],
    folder: module.folder,
  });
  await makeInCache(folder, (unfinished) => runGoBuild(build(unfinished), say));
  return folder;
}
