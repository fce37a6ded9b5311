import { mkdir, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { leanKubernetesClient } from '@largepayload/operator/lean-kubernetes-client';
import { type BuildOptions, build, type Metafile, transform } from 'esbuild';
import { leanPackages } from './lean-packages.ts';

const SOURCE = join(import.meta.dirname, 'src');
const NODE = { platform: 'node', target: 'node24' } as const;
const COMMON: BuildOptions = {
  ...NODE,
  bundle: true,
  format: 'esm',
  // The packages' ES modules: of an SDK's CommonJS every command would be kept, and evaluated.
  mainFields: ['module', 'main'],
  conditions: ['largepayload-source', 'module'],
  minifyWhitespace: true,
  minifySyntax: true,
  // Names stay, so that stack traces in logs can be read.
  minifyIdentifiers: false,
  legalComments: 'inline',
  logLevel: 'warning',
};

/**
 * Builds the program into a folder, whose content is removed. A module that the program loads by `import()`, such as a
 * command, a role or the SDK of a storage, becomes a file of its own, and what several of them need becomes files that they
 * share. So a process reads only the code that it runs.
 * @returns which sources are in which file
 */
export async function buildProgram(dist: string): Promise<Metafile> {
  await rm(dist, { recursive: true, force: true });
  await build({
    ...COMMON,
    entryPoints: [join(SOURCE, 'payload-store.ts')],
    outfile: join(dist, 'payload-store.mjs'),
  });
  const { outputFiles, metafile } = await build({
    ...COMMON,
    entryPoints: [join(SOURCE, 'main.ts')],
    outdir: join(dist, 'payload-store'),
    outExtension: { '.js': '.cjs' },
    splitting: true,
    plugins: [leanPackages, leanKubernetesClient],
    metafile: true,
    write: false,
  });
  await mkdir(join(dist, 'payload-store'));
  await Promise.all(outputFiles.map(async ({ path, text }) => await writeFile(path, await asCommonJs(text))));
  return metafile;
}

/**
 * esbuild splits only ES modules, so they become CommonJS afterwards. As ES modules they would start more slowly: `import` of
 * node:http evaluates all its exports, and a lazy one of them loads Node's whole fetch (60 ms and some MiB).
 */
async function asCommonJs(text: string): Promise<string> {
  const { code } = await transform(withClassNames(text), {
    ...NODE,
    format: 'cjs',
    supported: { 'dynamic-import': false },
    minifyWhitespace: true,
    minifySyntax: true,
  });
  return code;
}

/**
 * esbuild calls a class that uses itself `_Name` inside. Its `name`, which stack traces and logs of errors show, is made
 * that of the source again; `keepNames` would do so at run time for each function, and for each closure each time.
 */
function withClassNames(text: string): string {
  return text.replaceAll(
    /\b([\w$]+)=class _\1\b( extends [^{]*)?\{/g,
    (start, name) => `${start}static name=${JSON.stringify(name)};`,
  );
}

if (import.meta.main) await buildProgram(process.argv[2] ?? join(import.meta.dirname, 'dist'));
