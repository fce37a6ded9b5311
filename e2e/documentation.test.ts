import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { pages, REPOSITORY, textOf } from '@largepayload/testing/documents/markdown';
import { describe, expect, test } from 'vitest';

/** Pages about the past, whose files may have gone. */
const HISTORY = /^(CHANGELOG\.md|docs\/adr\/)/;

describe.each(pages())('%s', (page) => {
  const text = textOf(page).replaceAll(/^( *)```.*?^\1```$/gms, '');

  test('links lead to files and headings that exist', () => {
    const links = [...text.matchAll(/\]\(([^)\s]+)\)|(?:src|srcset)="([^"]+)"/g)].map(
      ([, one, other]) => one ?? other,
    );
    const broken = links.filter(
      (link) => link !== undefined && !/^\w+:/.test(link) && !leadsSomewhere(page, link),
    );
    expect(broken).toEqual([]);
  });

  test.skipIf(HISTORY.test(page))('files and folders that it names exist', () => {
    const named = [...text.matchAll(/`((?:\w[\w.-]*\/)+[\w.*-]*)`/g)].map(([, path = '']) => path);
    const gone = named.filter((path) => WORKSPACE.test(path) && !existsInRepository(path));
    expect(gone).toEqual([]);
  });
});

test('each page of docs/ has at most 250 lines and is listed in docs/README.md, and README.md has at most 150 lines', () => {
  const index = textOf('docs/README.md');
  for (const page of pages().filter((name) => /^docs\/[^/]+$/.test(name))) {
    expect(textOf(page).split('\n').length, page).toBeLessThanOrEqual(251);
    if (page !== 'docs/README.md') expect(index, page).toContain(`](${page.slice('docs/'.length)})`);
  }
  expect(textOf('README.md').split('\n').length).toBeLessThanOrEqual(151);
});

test.each(['overview', 'operator', 'injection'])(
  'the picture %s is the same in its light and its dark version',
  (name) => {
    const shape = (theme: string) =>
      readFileSync(join(REPOSITORY, `docs/images/${name}-${theme}.svg`), 'utf8').replace(
        /<style>.*<\/style>/s,
        '',
      );
    expect(shape('dark')).toBe(shape('light'));
  },
);

/** Paths of the repository, but for what programs make. */
const WORKSPACE =
  /^(?!.*\/(?:\.output|dist)\b)(codec|crds|sidecar|operator|charts|e2e|testing|tools|examples|docs)\//;

function existsInRepository(path: string): boolean {
  return path.includes('*') || existsSync(join(REPOSITORY, path));
}

function leadsSomewhere(page: string, link: string): boolean {
  const [file = '', heading] = link.split('#');
  const target = file === '' ? page : normalize(join(dirname(page), file));
  if (!existsSync(join(REPOSITORY, target))) return false;
  return heading === undefined || headingsOf(target).has(heading);
}

/** As GitHub makes anchors of headings. */
function headingsOf(page: string): ReadonlySet<string> {
  const headings = [...textOf(page).matchAll(/^#+ (.*)$/gm)].map(([, heading = '']) => heading);
  return new Set(
    headings.map((heading) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\w\- ]/g, '')
        .replaceAll(' ', '-'),
    ),
  );
}
