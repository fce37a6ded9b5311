import { homedir } from 'node:os';
import { join } from 'node:path';
import { clientFolders } from '@largepayload/testing/programs/kubernetes';
import { BaseCluster, readyNodes } from './base-cluster.ts';
import type { ClusterOptions, ClusterProvider } from './provider.ts';
import { removeState, writeState } from './state-folder.ts';

/**
 * The cluster that KUBECONFIG names, with all rights in it. Images come from a registry that this cluster can pull from:
 * E2E_IMAGE names ours. Pods reach servers of the tests at E2E_HOST_ADDRESS, if that is set.
 */
export const existing: ClusterProvider = {
  name: 'existing',
  kubernetes: () => undefined,

  async up({ name, nodes, say }: ClusterOptions) {
    await clientFolders(say);
    const cluster = await existing.find(name);
    if (cluster === undefined) {
      throw new Error(
        `the cluster of ${kubeconfig()} is not ready: \`kubectl get --raw /readyz\` fails there, or a node of it is not ` +
          'Ready. E2E_CLUSTER=existing needs KUBECONFIG, with all rights, and E2E_IMAGE, our image in a registry that ' +
          'the cluster can pull from.',
      );
    }
    writeState(name, { provider: 'existing', nodes });
    return cluster;
  },

  async find(name) {
    const folders = await clientFolders(() => undefined);
    const nodeNames = await readyNodes((...args) => new ExistingCluster(name, [], folders).kubectl(...args));
    return nodeNames && new ExistingCluster(name, nodeNames, folders);
  },

  /** Does nothing: the cluster is not ours. */
  async down(name) {
    removeState(name);
  },
};

function kubeconfig(): string {
  return process.env.KUBECONFIG || join(homedir(), '.kube/config');
}

class ExistingCluster extends BaseCluster {
  readonly provider = 'existing';
  readonly imagePullPolicy = 'IfNotPresent';
  readonly hostAddress = process.env.E2E_HOST_ADDRESS;
  override readonly registryImage = process.env.E2E_IMAGE;

  constructor(name: string, nodeNames: readonly string[], programFolders: readonly string[]) {
    super({ name, kubeconfig: kubeconfig(), nodeNames, programFolders });
  }

  override async loadImage(): Promise<void> {
    throw new Error(
      'an existing cluster takes images from a registry only: push the image, and name it in E2E_IMAGE',
    );
  }
}
