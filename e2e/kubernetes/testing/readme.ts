import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { IMAGE } from './names.ts';

const README = join(import.meta.dirname, '../../../README.md');
const [BEGIN, END] = ['<!-- quick start: begin -->', '<!-- quick start: end -->'];

const INSTALL = '--create-namespace --wait\n';

/**
 * The commands of README's quick start on Kubernetes, block by block, as they stand there.
 * @param registryImage `REPOSITORY:TAG`, where the cluster has no other: used as README says
 */
export function quickStart(registryImage?: string): readonly string[] {
  const blocks = readmeBlocks();
  if (registryImage === undefined) return blocks;
  const [, repositoryOfImage, tag] = /^(.+):([^:/]+)$/.exec(registryImage) ?? [];
  if (tag === undefined) throw new Error(`E2E_IMAGE=${registryImage}: write REPOSITORY:TAG`);
  const set = `--set image.repository=${repositoryOfImage} --set image.tag=${tag}`;
  return blocks.map((block) =>
    block.replace(INSTALL, `${INSTALL.trimEnd()} ${set}\n`).replaceAll(IMAGE, registryImage),
  );
}

function readmeBlocks(): readonly string[] {
  const readme = readFileSync(README, 'utf8');
  const [begin, end] = [readme.indexOf(BEGIN), readme.indexOf(END)];
  if (begin < 0 || end < begin) throw new Error(`README.md has no ${BEGIN} and ${END}`);
  return [...readme.slice(begin, end).matchAll(/^```sh\n(.*?)^```$/gms)].map(([, block]) => block ?? '');
}

/** Where its commands are to be run. */
export const repository = join(README, '..');
