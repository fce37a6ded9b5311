import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, expect, test } from 'vitest';

/** The order of the code. A folder imports only from folders of the lines above its own; `.` is the files beside the folders. */
const LAYERS: Record<string, readonly (readonly string[])[]> = {
  'codec/src': [['wire', 'files'], ['transport'], ['temporal'], ['.']],
  'sidecar/src': [
    ['errors', 'log', 'memory'],
    ['time', 'keys', 'bytes'],
    ['http-client'],
    ['drivers'],
    ['storage-records'],
    ['retention', 'payload-service'],
    ['http'],
    ['operations'],
    ['callers'],
    ['data-api', 'codec-server'],
    ['roles'],
    ['cli'],
    ['commands'],
    ['.'],
  ],
  'operator/src': [
    ['kubernetes'],
    ['authority', 'stores'],
    ['injection'],
    ['cluster', 'polling'],
    ['operations'],
    ['admission', 'reconcile'],
    ['doctor'],
    ['.'],
  ],
};

/** The workspaces that the code of a workspace may use. Tests may use all. */
const WORKSPACES: Record<string, readonly string[]> = {
  codec: [],
  crds: [],
  sidecar: ['codec', 'crds', 'operator'],
  operator: ['crds', 'tools'],
  tools: [],
};

/** The only places that may know a package: everything else knows an interface of ours. */
const ONLY_IN: [packages: RegExp, places: readonly string[]][] = [
  [/^@(aws-sdk|smithy)\//, ['sidecar/src/drivers/s3/']],
  [/^@kubernetes\//, ['operator/src/kubernetes/client-node-api.ts']],
  [/^@temporalio\//, ['codec/src/']],
  [/^@peculiar\//, ['operator/src/authority/x509.ts']],
  [/^jose$/, ['sidecar/src/callers/tokens/jose.ts']],
  [/^lru-cache$/, ['sidecar/src/payload-service/cache/', 'sidecar/src/callers/']],
  [
    /^@largepayload\/operator\//,
    ['sidecar/src/commands/inject', 'sidecar/src/commands/doctor', 'sidecar/build.ts'],
  ],
  [/^prom-client$/, ['sidecar/src/operations/metrics.ts', 'operator/src/operations/']],
  [
    /^fastify$/,
    ['http', 'operations', 'data-api', 'codec-server', 'roles'].map((name) => `sidecar/src/${name}/`),
  ],
];
const AMAZON_FILES = /^sidecar\/src\/drivers\/s3\/(.*\/)?aws-sdk-[a-z-]+\.ts$/;

const MOST_LINES = 300;
const MOST_FILES_OF_A_FOLDER = 20;

const root = join(import.meta.dirname, '..');
const files = filesBelow('').filter((file) => /\.(ts|md)$/.test(file));
const isTest = (file: string) =>
  /\.(test|e2e|fixture)\.ts$|(^|\/)(bench|conformance|cases|package-tests|status-cases)\/|conformance\.ts$/.test(
    file,
  ) || /^(e2e|testing|examples)\/|vitest\.config\.ts$/.test(file);
const product = files.filter((file) => file.endsWith('.ts') && !isTest(file));

function filesBelow(folder: string): string[] {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = folder === '' ? entry.name : `${folder}/${entry.name}`;
    if (entry.isFile()) return [path];
    const isOurs = entry.isDirectory() && !/^(\.|node_modules$|dist$|coverage$)/.test(entry.name);
    return isOurs ? filesBelow(path) : [];
  });
}

/** What a file imports: files of its workspace as paths, packages by name. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  const found = text.matchAll(
    /^(?:import|export)\b[^'";]*?\bfrom '([^']+)'|^import '([^']+)'|\bimport\('([^']+)'\)/gm,
  );
  return [...found].map(([, from, plain, dynamic]) => {
    const specifier = from ?? plain ?? dynamic ?? '';
    return specifier.startsWith('.') ? relative(root, join(root, dirname(file), specifier)) : specifier;
  });
}

const imports = new Map(product.map((file) => [file, importsOf(file)]));
const edges = [...imports].flatMap(([file, targets]) => targets.map((target) => [file, target] as const));
const told = (wrong: readonly (readonly [string, string])[]) => wrong.map((edge) => edge.join(' imports '));

describe.each(Object.entries(LAYERS))('%s', (source, layers) => {
  const folderOf = (file: string) =>
    dirname(file) === source ? '.' : (file.slice(source.length + 1).split('/')[0] ?? '');
  const layerOf = (file: string) => layers.findIndex((layer) => layer.includes(folderOf(file)));
  const own = product.filter((file) => file.startsWith(`${source}/`));

  test('has only folders whose place in the order is known', () => {
    expect(own.filter((file) => layerOf(file) < 0)).toEqual([]);
  });

  test('imports only from folders before, or from its own', () => {
    const wrong = edges.filter(([file, target]) => {
      if (!file.startsWith(`${source}/`) || !target.startsWith(`${source}/`)) return false;
      return folderOf(file) !== folderOf(target) && layerOf(target) >= layerOf(file);
    });
    expect(told(wrong)).toEqual([]);
  });
});

test('a workspace imports only workspaces that it may use, by their names, and no test support', () => {
  const wrong = edges.filter(([file, target]) => {
    const [own = ''] = file.split('/');
    const used = /^@largepayload\/([a-z0-9-]+)/.exec(target)?.[1];
    if (used !== undefined) return !(WORKSPACES[own] ?? []).includes(used);
    const isFile = existsSync(join(root, target)) && /\.[a-z]+$/.test(target);
    return isFile && target !== 'package.json' && (isTest(target) || target.split('/')[0] !== own);
  });
  expect(told(wrong)).toEqual([]);
});

test('a package that has one place is imported in no other', () => {
  const wrong = edges.filter(([file, target]) =>
    ONLY_IN.some(
      ([packages, places]) => packages.test(target) && !places.some((place) => file.startsWith(place)),
    ),
  );
  expect(told(wrong)).toEqual([]);
  const amazon = edges.filter(
    ([file, target]) => /^@(aws-sdk|smithy)\//.test(target) && !AMAZON_FILES.test(file),
  );
  expect(told(amazon)).toEqual([]);
});

test('no files import each other in a circle', () => {
  expect(circlesOf(imports)).toEqual([]);
});

test('no folders import each other in a circle, but a folder and those in it', () => {
  const folders = new Map<string, string[]>();
  for (const [file, target] of edges) {
    const [from, to] = [dirname(file), dirname(target)];
    if (!imports.has(target) || from === to || from.startsWith(`${to}/`) || to.startsWith(`${from}/`))
      continue;
    folders.set(from, [...(folders.get(from) ?? []), to]);
  }
  expect(circlesOf(folders)).toEqual([]);
});

/** One line for each circle: those on it, in the order of their imports. */
function circlesOf(graph: ReadonlyMap<string, readonly string[]>): string[] {
  const done = new Set<string>();
  const circles: string[] = [];
  const visit = (node: string, path: readonly string[]) => {
    const at = path.indexOf(node);
    if (at >= 0) circles.push([...path.slice(at), node].join(' → '));
    if (at >= 0 || done.has(node)) return;
    for (const next of graph.get(node) ?? []) visit(next, [...path, node]);
    done.add(node);
  };
  for (const node of graph.keys()) visit(node, []);
  return circles;
}

test(`no file has more than ${MOST_LINES} lines`, () => {
  const lines = (file: string) => readFileSync(join(root, file), 'utf8').split('\n').length - 1;
  const long = files.filter((file) => file !== 'CHANGELOG.md' && lines(file) > MOST_LINES);
  expect(long).toEqual([]);
});

test(`no folder has more than ${MOST_FILES_OF_A_FOLDER} product files`, () => {
  const counts = new Map<string, number>();
  for (const file of product) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
  const full = [...counts].filter(([, count]) => count > MOST_FILES_OF_A_FOLDER).map(([folder]) => folder);
  expect(full).toEqual([]);
});
