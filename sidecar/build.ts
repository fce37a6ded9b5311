import { rm } from 'node:fs/promises';
import { type BuildOptions, build } from 'esbuild';

/** Tests build into a folder of their own. */
const dist = process.argv[2] ?? `${import.meta.dirname}/dist`;
const source = `${import.meta.dirname}/src`;

const common: BuildOptions = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  conditions: ['source'],
  minify: true,
  // Names stay, so that stack traces in logs can be read.
  keepNames: true,
  legalComments: 'linked',
  logLevel: 'warning',
};

await rm(dist, { recursive: true, force: true });
await build({
  ...common,
  entryPoints: [`${source}/payload-store.ts`],
  outfile: `${dist}/payload-store.mjs`,
  format: 'esm',
});
// CommonJS, because `import` of node:http evaluates all its exports, and a lazy one of them loads Node's whole fetch:
// 60 ms of the start and some MiB.
await build({
  ...common,
  entryPoints: [`${source}/main.ts`],
  outfile: `${dist}/payload-store-main.cjs`,
  format: 'cjs',
});
