import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const README = join(import.meta.dirname, '../../../README.md');
const [BEGIN, END] = ['<!-- quick start: begin -->', '<!-- quick start: end -->'];

/** The commands of README's quick start on Kubernetes, block by block, as they stand there. */
export function quickStart(): readonly string[] {
  const readme = readFileSync(README, 'utf8');
  const [begin, end] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`README.md has no ${BEGIN} and ${END}`);
  return [...readme.slice(begin, end).matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block ?? '');
}

/** Where its commands are to be run. */
export const repository = join(README, '..');
