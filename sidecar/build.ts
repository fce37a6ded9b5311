import { rm } from 'node:fs/promises';
import { build } from 'esbuild';

const dist = `${import.meta.dirname}/dist`;
const source = `${import.meta.dirname}/src`;

await rm(dist, { recursive: true, force: true });
await build({
  entryPoints: {
    'payload-store': `${source}/payload-store.ts`,
    'payload-store-main': `${source}/main.ts`,
  },
  outdir: dist,
  outExtension: { '.js': '.mjs' },
  bundle: true,
  external: ['./payload-store-main.mjs'],
  platform: 'node',
  target: 'node24',
  format: 'esm',
  conditions: ['source'],
  minify: true,
  legalComments: 'linked',
  // Packages of the CommonJS kind call require() for Node's own modules.
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
  logLevel: 'warning',
});
