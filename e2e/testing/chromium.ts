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
  for (const args of [['update'], ['install', '--yes', '--no-install-recommends', 'chromium']]) {
    const { status, stderr } = spawnSync('apt-get', args, {
      env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
      encoding: 'utf8',
    });
    if (status !== 0) {
      throw new MissingProgramError(`apt-get ${args.join(' ')} failed: ${stderr.trim()}\n${how}`);
    }
  }
  const path = inPath('chromium');
  if (path === undefined) throw new MissingProgramError(`The package chromium has no \`chromium\`. ${how}`);
  return path;
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
