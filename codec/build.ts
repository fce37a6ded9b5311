import { execFile } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

/** Tests build into a folder of their own. */
const dist = resolve(process.argv[2] ?? join(import.meta.dirname, 'dist'));
const require = createRequire(import.meta.url);

rmSync(dist, { recursive: true, force: true });
await Promise.all([
  // What Node runs, whether it is imported or required: one implementation, so that there is one of each error class.
  compile('tsconfig.build.json', 'cjs'),
  // What bundlers take: they cannot leave out unused parts of CommonJS, nor put its `require('node:…')` into a module.
  compile('tsconfig.esm.json', 'esm'),
]);
write('cjs/package.json', JSON.stringify({ type: 'commonjs', sideEffects: false }));
const names = Object.keys(require(join(dist, 'cjs/index.js'))).sort();
write('index.js', `export {\n${names.map((name) => `  ${name},\n`).join('')}} from './cjs/index.js';\n`);
write('index.d.ts', "export * from './cjs/index.js';\n");

async function compile(project: string, folder: string): Promise<void> {
  const tsc = join(dirname(require.resolve('typescript/package.json')), 'bin/tsc');
  const args = [tsc, '-p', join(import.meta.dirname, project), '--outDir', join(dist, folder)];
  await promisify(execFile)(process.execPath, args).catch((failure: { stdout: string; stderr: string }) => {
    process.stderr.write(failure.stdout + failure.stderr);
    process.exit(1);
  });
}

function write(name: string, content: string): void {
  writeFileSync(join(dist, name), content);
}
