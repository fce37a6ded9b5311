import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { MissingProgramError } from './missing-program.ts';

/**
 * Installs packages of Debian.
 * @param reason what needs them: a sentence
 * @throws MissingProgramError when they have to be installed by hand
 */
export function installPackages(
  packages: readonly string[],
  reason: string,
  say: (line: string) => void,
): void {
  const how = `Install it (on Debian and Ubuntu: apt-get install ${packages.join(' ')}), and run this again.`;
  if (process.getuid?.() !== 0 || inPath('apt-get') === undefined) {
    throw new MissingProgramError(`${reason} ${how}`);
  }
  say(`installing ${packages.join(' ')} from the packages of this system`);
  // When the lists of packages cannot be updated, the present ones may suffice.
  aptGet('update');
  const failure = aptGet('install', '--yes', '--no-install-recommends', ...packages);
  if (failure !== undefined) throw new MissingProgramError(`apt-get install failed: ${failure}\n${how}`);
}

/** The error output of a command that fails; undefined when it succeeds. */
function aptGet(...args: string[]): string | undefined {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const { status, stderr } = spawnSync('apt-get', args, { env, encoding: 'utf8' });
  return status === 0 ? undefined : stderr.trim();
}

/** The path of a program, given by its name in PATH or by its path; undefined when it is missing. */
export function inPath(program: string): string | undefined {
  if (program.startsWith('/')) return isExecutable(program) ? program : undefined;
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find(isExecutable);
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}
