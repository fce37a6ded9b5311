import { rm } from 'node:fs/promises';
import { build } from 'esbuild';
import { leanKubernetesClient } from './lean-kubernetes-client.ts';

/** Tests build into a folder of their own. */
const dist = process.argv[2] ?? `${import.meta.dirname}/dist`;

await rm(dist, { recursive: true, force: true });
await build({
  entryPoints: [`${import.meta.dirname}/src/main.ts`],
  outfile: `${dist}/operator.mjs`,
  bundle: true,
  platform: 'node',
  target: 'node24',
  format: 'esm',
  conditions: ['largepayload-source'],
  plugins: [leanKubernetesClient],
  // What is CommonJS calls `require` for Node's own modules, which a module does not have.
  banner: {
    js: "import { createRequire } from 'node:module';\nconst require = createRequire(import.meta.url);",
  },
  // Not minified: of an error that nobody caught, Node prints the line, which would be the whole program.
  legalComments: 'eof',
  logLevel: 'warning',
});
