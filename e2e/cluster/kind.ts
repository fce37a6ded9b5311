import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { inPath } from '../testing/debian-packages.ts';
import { MissingProgramError } from '../testing/missing-program.ts';
import { runCommand } from '../testing/run-command.ts';
import { BaseCluster, readyNodes } from './base-cluster.ts';
import { clientFolders } from './programs.ts';
import type { Capabilities, ClusterOptions, ClusterProvider } from './provider.ts';
import { readState, removeState, stateFolder, writeState } from './state-folder.ts';

const capabilities: Capabilities = {
  // By kindnet, since kind 0.24.
  networkPolicy: { supported: true },
  apiServerRestart: {
    supported: false,
    reason: 'kind runs the API server as a static pod of its kubelet; use E2E_CLUSTER=local',
  },
  podNetwork: {
    supported: false,
    reason: 'addresses of pods and Services are those of the network of Docker containers; use port-forward',
  },
  secondNode: { supported: true },
};

/** True where Docker's daemon answers and kind is installed. */
export async function kindIsUsable(): Promise<boolean> {
  if (inPath('docker') === undefined || inPath('kind') === undefined) return false;
  return await runCommand('docker', ['info'], { limitMs: 10_000 }).then(
    () => true,
    () => false,
  );
}

/** Kubernetes in Docker: https://kind.sigs.k8s.io. Pulls its image of a node. */
export const kind: ClusterProvider = {
  name: 'kind',
  capabilities,

  async up({ name, nodes, say }: ClusterOptions) {
    if (!(await kindIsUsable())) {
      throw new MissingProgramError(
        'E2E_CLUSTER=kind needs `kind` in PATH and a Docker daemon that answers `docker info`. ' +
          'Install them (https://kind.sigs.k8s.io/docs/user/quick-start), or use E2E_CLUSTER=local.',
      );
    }
    await clientFolders(say);
    await kind.down(name, say);
    const folder = writeState(name, { provider: 'kind', nodes });
    const roles = ['control-plane', 'worker'].slice(0, nodes);
    const config = {
      kind: 'Cluster',
      apiVersion: 'kind.x-k8s.io/v1alpha4',
      nodes: roles.map((role) => ({ role })),
    };
    say('kind makes a cluster; its image is pulled, unless it is there');
    const args = ['--name', kindName(name), '--kubeconfig', join(folder, 'kubeconfig'), '--wait', '180s'];
    await runCommand('kind', ['create', 'cluster', ...args, '--config', '-'], {
      input: JSON.stringify(config),
      limitMs: 900_000,
    });
    const cluster = await kind.find(name);
    if (cluster === undefined) throw new Error(`kind has made ${kindName(name)}, but it is not ready`);
    return cluster;
  },

  async find(name) {
    const kubeconfig = join(stateFolder(name), 'kubeconfig');
    if (!existsSync(kubeconfig)) return undefined;
    const folders = await clientFolders(() => undefined);
    const gateway = await dockerGateway();
    const cluster = (nodeNames: string[]) => new KindCluster(name, kubeconfig, nodeNames, folders, gateway);
    const names = await readyNodes((...args) => cluster([]).kubectl(...args), readState(name)?.nodes);
    return names && cluster(names);
  },

  async down(name) {
    const kubeconfig = join(stateFolder(name), 'kubeconfig');
    const args = ['delete', 'cluster', '--name', kindName(name), '--kubeconfig', kubeconfig];
    if (await kindIsUsable()) await runCommand('kind', args);
    removeState(name);
  },
};

function kindName(name: string): string {
  return `largepayload-${name}`;
}

/** This machine's address in the network of kind's containers. */
async function dockerGateway(): Promise<string | undefined> {
  const format = '{{range .IPAM.Config}}{{println .Gateway}}{{end}}';
  const output = await runCommand('docker', ['network', 'inspect', 'kind', '--format', format]);
  return output.split('\n').find((line) => /^\d+(\.\d+){3}$/.test(line));
}

class KindCluster extends BaseCluster {
  readonly provider = 'kind';
  // A pull would fail all the same; but an image of `kind load` counts as present.
  readonly imagePullPolicy = 'Never';
  readonly hostAddress: string | undefined;

  constructor(
    name: string,
    kubeconfig: string,
    nodeNames: readonly string[],
    programFolders: readonly string[],
    hostAddress: string | undefined,
  ) {
    super({ name, kubeconfig, nodeNames, capabilities, programFolders });
    this.hostAddress = hostAddress;
  }

  override async loadImage(archive: string): Promise<void> {
    await runCommand('kind', ['load', 'image-archive', archive, '--name', kindName(this.name)]);
  }
}
