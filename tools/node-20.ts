import { execFileSync } from 'node:child_process';
import { existsSync, globSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const repository = join(import.meta.dirname, '..');

/**
 * A real Node 20: the host's, or the one that `make node-20` installed.
 * @throws Error that says how to get one
 */
export function findNode20(): string {
  const onPath = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'node'));
  const installed = globSync(join(repository, '.bootstrap/node-20/node_modules/node-linux-*/bin/node'));
  const found = [...onPath, ...installed].find((file) => existsSync(file) && isNode20(file));
  if (found !== undefined) return found;
  throw new Error('no Node 20, the oldest that the codec supports: run `make node-20`, or put one into PATH');
}

function isNode20(file: string): boolean {
  return execFileSync(file, ['--version'], { encoding: 'utf8' }).startsWith('v20.');
}

if (import.meta.main) console.log(findNode20());
