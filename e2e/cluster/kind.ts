import { existsSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { clientFolders } from '@largepayload/testing/programs/kubernetes';
import { KUBERNETES_VERSIONS } from '@largepayload/testing/programs/kubernetes-versions';
import { inPath } from '@largepayload/tools/debian-packages';
import { MissingProgramError } from '@largepayload/tools/missing-program';
import { runCommand } from '@largepayload/tools/run-command';
import { BaseCluster, readyNodes } from './base-cluster.ts';
import type { Cluster, ClusterOptions, ClusterProvider } from './provider.ts';
import { readState, removeState, stateFolder, writeState } from './state-folder.ts';

/** Only root can join the network of a node, where pods and Services can be called by their addresses. */
const joinsNode = process.platform === 'linux' && process.getuid?.() === 0;

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
  kubernetes: wantedVersion,

  async up({ name, nodes, say }: ClusterOptions) {
    if (!(await kindIsUsable())) {
      throw new MissingProgramError(
        'E2E_CLUSTER=kind needs `kind` in PATH and a Docker daemon that answers `docker info`. ' +
          'Install them (https://kind.sigs.k8s.io/docs/user/quick-start), or use E2E_CLUSTER=local.',
      );
    }
    await clientFolders(say);
    await kind.down(name, say);
    const folder = writeState(name, { provider: 'kind', nodes, kubernetes: wantedVersion() });
    const roles = ['control-plane', 'worker'].slice(0, nodes);
    const config = {
      kind: 'Cluster',
      apiVersion: 'kind.x-k8s.io/v1alpha4',
      nodes: roles.map((role) => ({ role })),
      // With two nodes, the first one must take pods too. With a single node kind itself removes the taint, and needs it.
      kubeadmConfigPatches: nodes === 1 ? [] : ['kind: InitConfiguration\nnodeRegistration:\n  taints: []\n'],
    };
    say('kind makes a cluster; its image is pulled, unless it is there');
    const kubeconfig = join(folder, 'kubeconfig');
    const args = ['--name', kindName(name), '--kubeconfig', kubeconfig, '--wait', '180s'];
    const version = wantedVersion();
    const image = version === undefined ? [] : ['--image', `kindest/node:v${version}`];
    await runCommand('kind', ['create', 'cluster', ...args, ...image, '--config', '-'], {
      input: JSON.stringify(config),
      limitMs: 900_000,
    });
    if (joinsNode) await writeFile(kubeconfig, await kubeconfigInside(name), { mode: 0o600 });
    const cluster = await kind.find(name);
    if (cluster === undefined) throw new Error(`kind has made ${kindName(name)}, but it is not ready`);
    return cluster;
  },

  async find(name) {
    const kubeconfig = join(stateFolder(name), 'kubeconfig');
    if (!existsSync(kubeconfig)) return undefined;
    const folders = await clientFolders(() => undefined);
    // The containers may have gone although kind still knows the cluster.
    const reach = await (joinsNode ? fromInside(name) : fromOutside()).catch(() => undefined);
    if (reach === undefined) return undefined;
    const cluster = (nodeNames: string[]) => new KindCluster(name, kubeconfig, nodeNames, folders, reach);
    const names = await readyNodes((...args) => cluster([]).kubectl(...args), readState(name)?.nodes);
    return names && cluster(names);
  },

  async down(name) {
    const kubeconfig = join(stateFolder(name), 'kubeconfig');
    const args = ['delete', 'cluster', '--name', kindName(name), '--kubeconfig', kubeconfig];
    if (await kindIsUsable()) await runCommand('kind', args);
    else if (readState(name)?.provider === 'kind') {
      throw new Error(
        `cluster ${name} was made by kind, and its containers cannot be removed: put \`kind\` in PATH and let Docker answer ` +
          `\`docker info\`; if the containers have gone, remove ${stateFolder(name)}`,
      );
    }
    removeState(name);
  },
};

/** The tag of kind's image, from E2E_KUBERNETES; undefined: the image that kind chooses. Kind has versions that we cannot build. */
function wantedVersion(): string | undefined {
  const wanted = process.env.E2E_KUBERNETES?.replace(/^v/, '');
  return KUBERNETES_VERSIONS.find(({ minor }) => minor === wanted)?.full ?? (wanted || undefined);
}

function kindName(name: string): string {
  return `largepayload-${name}`;
}

/** How commands reach the cluster, and its pods reach what commands start. */
type Reach = Pick<Cluster, 'commandPrefix' | 'hostAddress'>;

/** Commands run in the network of the first node. */
async function fromInside(name: string): Promise<Reach> {
  const { pid, address } = await firstNode(name);
  return { commandPrefix: ['nsenter', `--net=/proc/${pid}/ns/net`, '--'], hostAddress: address };
}

/** Commands use the ports that Docker forwards. Pods reach this machine at its address in their network. */
async function fromOutside(): Promise<Reach> {
  const format = '{{range .IPAM.Config}}{{println .Gateway}}{{end}}';
  const output = await runCommand('docker', ['network', 'inspect', 'kind', '--format', format]);
  const hostAddress = output.split('\n').find((line) => /^\d+(\.\d+){3}$/.test(line));
  return { commandPrefix: [], hostAddress };
}

/** A kubeconfig for the network of the nodes, with addresses: this machine does not know the names of Docker's containers. */
async function kubeconfigInside(name: string): Promise<string> {
  const text = await runCommand('kind', ['get', 'kubeconfig', '--internal', '--name', kindName(name)]);
  const { address } = await firstNode(name);
  return text.replace(/^( *server: https:\/\/)[^:\n]+:/m, `$1${address}:`);
}

async function firstNode(name: string): Promise<{ pid: string; address: string }> {
  const format = '{{.State.Pid}} {{.NetworkSettings.Networks.kind.IPAddress}}';
  const container = `${kindName(name)}-control-plane`;
  const output = await runCommand('docker', ['inspect', '--format', format, container]);
  const [pid = '', address = ''] = output.trim().split(' ');
  return { pid, address };
}

class KindCluster extends BaseCluster {
  readonly provider = 'kind';
  // An image of `kind load` counts as present, so nothing is pulled.
  readonly imagePullPolicy = 'Never';
  readonly hostAddress: string | undefined;
  override readonly commandPrefix: readonly string[];

  constructor(
    name: string,
    kubeconfig: string,
    nodeNames: readonly string[],
    programFolders: readonly string[],
    { commandPrefix, hostAddress }: Reach,
  ) {
    super({ name, kubeconfig, nodeNames, programFolders });
    this.hostAddress = hostAddress;
    this.commandPrefix = commandPrefix;
  }

  override async loadImage(archive: string): Promise<void> {
    await runCommand('kind', ['load', 'image-archive', archive, '--name', kindName(this.name)]);
  }
}
