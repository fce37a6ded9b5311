import { readFile } from 'node:fs/promises';
import type { Plugin } from 'esbuild';

/** A part of a package: the package that asks for it, what it asks for, and what it gets instead. */
interface Unused {
  readonly of: RegExp;
  readonly path: RegExp;
  readonly contents: string;
}

/** Is asked for when the package is loaded, and then never used. */
const NOTHING = 'module.exports = {};';

/** As far as it is used. */
const ASSERT = 'module.exports = (ok, message) => { if (!ok) throw new Error(message); };';

/**
 * What packages load and this program never uses: each costs an idle process memory and time at its start. Node's own
 * https and http2 cost most, 5 MiB and 2 MiB, as they load all of TLS.
 */
const UNUSED: readonly Unused[] = [
  // For JSON schemas of routes and for the test client. No route has a schema, and `buildApp` passes compilers of its own.
  unused(
    'fastify',
    /^(@fastify\/ajv-compiler|@fastify\/fast-json-stringify-compiler|light-my-request)$/,
    refusal(),
  ),
  // `buildApp` makes its own server, and listens on addresses that need no look-up.
  unused('fastify', /^node:(https|http2|dns)$/, NOTHING),
  // Versions of plugins, and addresses of proxies that are trusted: there are none.
  unused('fastify', /^(semver|@fastify\/proxy-addr)$/, NOTHING),
  // Checks of our own arguments; Node's assert also compares and explains values.
  unused('(find-my-way|fastify|sonic-boom)', /^(node:)?assert$/, ASSERT),
  // Transports: lines are written by the main thread.
  unused('pino', /^\.\/(lib\/)?transport$/, NOTHING),
  unused('pino', /^worker_threads$/, 'module.exports = { isMainThread: true };'),
  // Metrics of several processes together, and a server that metrics are sent to.
  unused('prom-client', /^\.\/lib\/(cluster|pushgateway)$/, NOTHING),
  // Traces beside metrics.
  unused('prom-client', /^@opentelemetry\/api$/, NOTHING),
  // S3 is HTTP/1.1.
  unused('@smithy/node-http-handler', /^node:http2$/, 'export default {};'),
];

/** What a client of Amazon's SDK knows of the requests and answers of its service. */
const SCHEMAS = /[\\/]dist-es[\\/].*[\\/]schemas_0\.js$/;

/** Leaves parts of packages out of the program. */
export const leanPackages: Plugin = {
  name: 'lean-packages',
  setup(build) {
    for (const [number, { of, path, contents }] of UNUSED.entries()) {
      const namespace = `unused-${number}`;
      build.onResolve({ filter: path }, (asked) =>
        of.test(asked.importer) ? { path: asked.path, namespace } : undefined,
      );
      build.onLoad({ filter: /.*/, namespace }, () => ({ contents }));
    }
    build.onLoad({ filter: SCHEMAS }, async ({ path }) => ({ contents: pure(await readFile(path, 'utf8')) }));
  },
};

/**
 * Marks each array of the source as free of side effects, so that esbuild leaves out the unused arrays. It cannot
 * see that itself, for keys such as `{[_hH]: …}`. Of S3's hundred operations eight are used.
 */
function pure(schemas: string): string {
  return schemas.replaceAll(/^((?:export )?var [\w$]+ = )(\[.*?\]);$/gms, '$1/* @__PURE__ */ (() => $2)();');
}

function unused(name: string, path: RegExp, contents: string): Unused {
  return { of: new RegExp(`[\\\\/]node_modules[\\\\/]${name}[\\\\/]`), path, contents };
}

/** Nothing asks for it while the program runs as it should. */
function refusal(): string {
  return "throw new Error('this part of a package is left out of the program');";
}
