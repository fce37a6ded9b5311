import type { Plugin } from 'esbuild';

const LIBRARY = /[\\/]node_modules[\\/]@kubernetes[\\/]client-node[\\/]/;

/**
 * Bundles of @kubernetes/client-node what is used, its configuration, and not its thousand models, which esbuild cannot
 * see to be without effect; nor undici, in which it makes requests that we make ourselves. `KubeConfig` is all that may
 * be imported, and of it `createDispatcher` and `applySecurityAuthentication` do not work.
 */
export const leanKubernetesClient: Plugin = {
  name: 'lean-kubernetes-client',
  setup(build) {
    build.onResolve({ filter: /.*/ }, async ({ path, pluginData, ...asked }) => {
      if (pluginData === LIBRARY || asked.kind === 'entry-point') return undefined;
      const isOfLibrary = LIBRARY.test(asked.importer);
      if (isOfLibrary && path === 'undici') return { path, namespace: 'left-out' };
      if (!isOfLibrary && path !== '@kubernetes/client-node') return undefined;
      const found = await build.resolve(path, { ...asked, pluginData: LIBRARY });
      return found.external ? found : { ...found, sideEffects: false };
    });
    build.onLoad({ filter: /.*/, namespace: 'left-out' }, () => ({ contents: 'module.exports = {};' }));
  },
};
