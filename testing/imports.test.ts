import { globSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { expect, test } from 'vitest';

const REPOSITORY = join(import.meta.dirname, '..');
const WORKSPACES = ['codec', 'crds', 'sidecar', 'operator', 'e2e', 'testing', 'tools'];

const files = globSync(`{${WORKSPACES.join(',')}}/**/*.ts`, {
  cwd: REPOSITORY,
  exclude: (path) => /(^|\/)(node_modules|dist|\.output)(\/|$)/.test(path),
});

/** Each as `FILE imports SPECIFIER`. */
const imports = files.flatMap((file) => {
  const text = readFileSync(join(REPOSITORY, file), 'utf8');
  return [...text.matchAll(/(?:from|import\(|^import) ?'([^']+)'/gm)].map(([, specifier = '']) => ({
    file,
    specifier,
  }));
});
const shown = (found: typeof imports) => found.map(({ file, specifier }) => `${file} imports ${specifier}`);
const workspaceOf = (file: string) => file.split('/')[0];

test('the imports of all workspaces are found', () => {
  const importing = new Set(imports.map(({ file }) => workspaceOf(file)));
  expect([...importing].sort()).toEqual([...WORKSPACES].sort());
  expect(imports.length).toBeGreaterThan(2_000);
});

test('a workspace imports another one by its name, never by a relative path', () => {
  const outside = imports.filter(({ file, specifier }) => {
    if (!specifier.startsWith('.')) return false;
    const target = relative(REPOSITORY, resolve(REPOSITORY, file, '..', specifier));
    return WORKSPACES.includes(workspaceOf(target) ?? '') && workspaceOf(target) !== workspaceOf(file);
  });
  expect(shown(outside)).toEqual([]);
});

test('programs and build tooling import nothing of the tests', () => {
  const isProduct = (file: string) =>
    /^(codec|crds|sidecar|operator)\/(src|image)\/|^[a-z]+\/build\.ts$|^tools\//.test(file) &&
    !/\.(test|e2e|fixture)\.ts$|\/conformance\b/.test(file);
  const ofTests = imports.filter(
    ({ file, specifier }) =>
      isProduct(file) && /^@largepayload\/testing|\.fixture\.ts$|^vitest/.test(specifier),
  );
  expect(shown(ofTests)).toEqual([]);
});
