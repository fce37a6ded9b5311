import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { REPOSITORY, textOf } from '../documents/markdown.ts';

/** Puts figures between the marks `<!-- NAME: begin -->` and `<!-- NAME: end -->` of a page. */
export function writeFigures(page: string, name: string, figures: string): void {
  const [begin, end] = [`<!-- ${name}: begin -->`, `<!-- ${name}: end -->`];
  const text = textOf(page);
  const [head, tail] = [text.indexOf(begin), text.indexOf(end)];
  if (head < 0 || tail < head) throw new Error(`${page} has no ${begin} and ${end}`);
  writeFileSync(
    join(REPOSITORY, page),
    `${text.slice(0, head + begin.length)}\n${figures}\n${text.slice(tail)}`,
  );
}
