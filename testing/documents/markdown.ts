import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const REPOSITORY = join(import.meta.dirname, '../..');

/** A block of code on a page. */
export interface Example {
  /** for messages: `docs/s3.md:34` */
  readonly place: string;
  readonly language: string;
  readonly code: string;
  /** The text of a comment `<!-- example: … -->` in the line before it: why no test runs it, or which one does. */
  readonly mark: string | undefined;
}

/** Paths of all pages, from the root of the repository. */
export function pages(): readonly string[] {
  const foreign = new Set(['node_modules', 'dist', '.node', '.git', '.output']);
  return globSync('**/*.md', {
    cwd: REPOSITORY,
    exclude: (path) => foreign.has(path.split('/').at(-1) ?? ''),
  }).sort();
}

export function textOf(page: string): string {
  return readFileSync(join(REPOSITORY, page), 'utf8');
}

/** All blocks of code that name a language; others are pictures, trees or output. */
export function examplesOf(page: string): readonly Example[] {
  const text = textOf(page);
  const fence =
    /^(?:<!-- example: (?<mark>[^\n]*) -->\n)?(?<indent> *)```(?<language>\w+)\n(?<code>.*?)^\k<indent>```$/gms;
  return [...text.matchAll(fence)].map(({ index, groups: { mark, indent, language, code } = {} }) => ({
    place: `${page}:${text.slice(0, index).split('\n').length}`,
    language: language ?? '',
    code: (code ?? '').replaceAll(new RegExp(`^${indent}`, 'gm'), ''),
    mark,
  }));
}

/** The blocks of one language, in the order of the page. */
export function blocksOf(page: string, language: string): readonly string[] {
  return examplesOf(page)
    .filter((example) => example.language === language)
    .map(({ code }) => code);
}
