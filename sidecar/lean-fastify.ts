import type { Plugin } from 'esbuild';

/**
 * Leaves out what fastify loads only for JSON schemas of routes and for its test client. No route has a schema, and `buildApp`
 * passes compilers of its own, so that fastify does not ask for these packages.
 */
export const leanFastify: Plugin = {
  name: 'lean-fastify',
  setup(build) {
    const unused = /^(@fastify\/ajv-compiler|@fastify\/fast-json-stringify-compiler|light-my-request)$/;
    build.onResolve({ filter: unused }, ({ path }) => ({ path, namespace: 'left-out' }));
    build.onLoad({ filter: /.*/, namespace: 'left-out' }, ({ path }) => ({
      contents: `throw new Error('${path} is left out of this program');`,
    }));
  },
};
