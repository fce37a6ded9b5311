import { rm } from 'node:fs/promises';
import { type BuildOptions, build, type Plugin } from 'esbuild';

/** Tests build into a folder of their own. */
const dist = process.argv[2] ?? `${import.meta.dirname}/dist`;
const source = `${import.meta.dirname}/src`;

const common: BuildOptions = {
  bundle: true,
  platform: 'node',
  target: 'node24',
  conditions: ['largepayload-source'],
  minify: true,
  // Names stay, so that stack traces in logs can be read.
  keepNames: true,
  legalComments: 'linked',
  logLevel: 'warning',
};

/** What only some stores need, in a file of its own: it is loaded when a store needs it. */
const AMAZON = { entry: 'drivers/s3/aws-sdk-client.ts', file: 'payload-store-s3.cjs' };

const inFileOfItsOwn: Plugin = {
  name: 'in-file-of-its-own',
  setup: ({ onResolve }) => {
    onResolve({ filter: /\/aws-sdk-client\.ts$/ }, ({ kind }) =>
      kind === 'dynamic-import' ? { path: `./${AMAZON.file}`, external: true } : undefined,
    );
  },
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
  plugins: [inFileOfItsOwn],
});
await build({
  ...common,
  entryPoints: [`${source}/${AMAZON.entry}`],
  outfile: `${dist}/${AMAZON.file}`,
  format: 'cjs',
  // The packages' ES modules: of their CommonJS every command would be kept, and evaluated.
  mainFields: ['module', 'main'],
  conditions: ['largepayload-source', 'module'],
});
