import { spawnSync } from 'node:child_process';
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { MissingProgramError } from './missing-program.ts';

/**
 * The path of Chromium, installed from Debian's packages where that is possible and it is missing.
 * @throws MissingProgramError when it has to be installed by hand
 */
export function chromium(say: (line: string) => void): string {
  const installed = inPath('chromium');
  if (installed !== undefined) return installed;
  const how = 'Install it so that `chromium` is in PATH (on Debian and Ubuntu: apt-get install chromium).';
  if (process.getuid?.() !== 0 || inPath('apt-get') === undefined) {
    throw new MissingProgramError(`Chromium is needed to look at Temporal's Web UI. ${how}`);
  }
  say('installing chromium from the packages of this system');
  // Should the lists of packages be no newer, those that are there may do.
  aptGet('update');
  const failure = aptGet('install', '--yes', '--no-install-recommends', 'chromium');
  if (failure !== undefined) throw new MissingProgramError(`apt-get install failed: ${failure}\n${how}`);
  const path = inPath('chromium');
  if (path === undefined) throw new MissingProgramError(`The package chromium has no \`chromium\`. ${how}`);
  return path;
}

/** What it complains of, if it fails. */
function aptGet(...args: string[]): string | undefined {
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const { status, stderr } = spawnSync('apt-get', args, { env, encoding: 'utf8' });
  return status === 0 ? undefined : stderr.trim();
}

function inPath(program: string): string | undefined {
  return (process.env.PATH ?? '')
    .split(delimiter)
    .map((folder) => join(folder, program))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return true;
      } catch {
        return false;
      }
    });
}
