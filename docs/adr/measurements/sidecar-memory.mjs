// What the parts of a sidecar cost in memory: `node --conditions=largepayload-source docs/adr/measurements/sidecar-memory.mjs`.
// Each part is bundled as the program is, loaded beside a server that listens, collected once, and measured. docs/idle-memory.md
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build } from 'esbuild';
import { leanPackages } from '../../../sidecar/lean-packages.ts';

const SOURCE = join(import.meta.dirname, '../../../sidecar/src');
const RUNS = 3;
const LISTEN = `require('node:http').createServer(() => {}).listen(0, '127.0.0.1');`;
const APP = `import { buildApp } from './http/app.ts'; import { createLog } from './log/log.ts';
import { processLimits } from './memory/process-limits.ts';
const rules = { connections: processLimits(undefined).dataPort, headersTimeout: 1e4, keepAliveTimeout: 1e4, requestTimeout: 0, answersExpect: false };
const begin = () => buildApp(createLog(), [], rules).listen({ port: 0, host: '127.0.0.1' }).catch(() => {});
globalThis.used = begin;`;

const PARTS = [
  ['Node alone', ''],
  ['+ a server of `node:http`', LISTEN],
  ['+ that and `node:crypto`', `require('node:crypto'); ${LISTEN}`],
  ['+ a server and TLS with a context', `require('node:tls').createSecureContext(); ${LISTEN}`],
  [
    '+ a server and pino',
    `import { createLog } from './log/log.ts'; globalThis.used = createLog(); ${LISTEN}`,
  ],
  [
    '+ a server and prom-client with our metrics',
    `import { Metrics } from './operations/metrics.ts'; const none = () => 0;
    globalThis.used = new Metrics({ requests: none, bytes: none }, { watchesEventLoop: false }); ${LISTEN}`,
  ],
  ['+ a server and fastify, loaded', `import Fastify from 'fastify'; globalThis.used = Fastify; ${LISTEN}`],
  ['+ a server, fastify and pino', `${APP} ${LISTEN}`],
  ['+ a server of fastify in its place', `${APP} begin();`],
  ['+ two of them', `${APP} begin(); begin();`],
  [
    '+ a server and the cache',
    `import { CachedService } from './payload-service/cache/cached-service.ts';
    globalThis.used = new CachedService({}, { limitBytes: 2 ** 26 }); ${LISTEN}`,
  ],
];

const folder = mkdtempSync(join(tmpdir(), 'payload-store-parts-'));
try {
  console.log('| loaded | memory, MiB | of it shared files |\n| --- | ---: | ---: |');
  for (const [index, [name, code]] of PARTS.entries()) {
    const file = join(folder, `${index}.cjs`);
    await build({
      stdin: { contents: code, resolveDir: SOURCE, loader: 'ts' },
      ...{
        bundle: true,
        platform: 'node',
        target: 'node24',
        format: 'cjs',
        outfile: file,
        logLevel: 'error',
      },
      ...{ mainFields: ['module', 'main'], conditions: ['largepayload-source', 'module'], minify: true },
      plugins: [leanPackages],
    });
    const runs = Array.from({ length: RUNS }, () => memoryOf(file)).sort(([a], [b]) => a - b);
    const [all, files] = runs[1];
    console.log(`| ${name} | ${all.toFixed(1)} | ${files.toFixed(1)} |`);
  }
} finally {
  rmSync(folder, { recursive: true });
}

/** MiB, after one collection: all, and of it pages of files. */
function memoryOf(file) {
  const script = `require(${JSON.stringify(file)});
    setTimeout(() => {
      require('node:v8').setFlagsFromString('--expose-gc');
      require('node:vm').runInNewContext('gc')({ type: 'major', flavor: 'last-resort' });
      const status = require('node:fs').readFileSync('/proc/self/status', 'utf8');
      console.log(/VmRSS:\\s+(\\d+)/.exec(status)[1], /RssFile:\\s+(\\d+)/.exec(status)[1]);
      process.exit();
    }, 500);`;
  const environment = { ...process.env, NODE_COMPILE_CACHE: join(folder, 'compiled') };
  const output = execFileSync(process.execPath, ['-e', script], { env: environment, encoding: 'utf8' });
  const [all = 0, files = 0] = output
    .trim()
    .split(' ')
    .map((kibibytes) => Number(kibibytes) / 1024);
  return [all, files];
}
