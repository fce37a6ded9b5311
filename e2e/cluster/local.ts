import { dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { localPrograms } from '@largepayload/testing/programs/kubernetes';
import { chosenKubernetes, KUBERNETES_VERSIONS } from '@largepayload/testing/programs/kubernetes-versions';
import { eventualValue } from '@largepayload/testing/waiting/eventually';
import { MissingProgramError } from '@largepayload/tools/missing-program';
import { BaseCluster, readyNodes } from './base-cluster.ts';
import { nodeAddresses } from './local/addresses.ts';
import { apiServerReady, type NodeParts, startApiServer } from './local/control-plane.ts';
import { loadImage } from './local/node-agents.ts';
import { NodeSpace, OWN_FOLDERS } from './local/node-space.ts';
import { clusterMark } from './local/processes.ts';
import { removeNodes } from './local/removal.ts';
import { certificatesFolder, rebootNode, runningParts, startNodes } from './local/start-nodes.ts';
import type { ClusterOptions, ClusterProvider } from './provider.ts';
import { readState, removeState, stateFolder, writeState } from './state-folder.ts';

/** Processes of this machine, in namespaces of their own: needs Linux and root, and neither Docker nor a registry. */
export const local: ClusterProvider = {
  name: 'local',
  kubernetes: () => chosenKubernetes().full,

  async up({ name, nodes, say }: ClusterOptions) {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) {
      throw new MissingProgramError(
        'A cluster of processes on this machine needs Linux and root. Run this as root, or with E2E_CLUSTER=kind ' +
          '(needs Docker and kind), or with E2E_CLUSTER=existing and a KUBECONFIG.',
      );
    }
    const version = chosenKubernetes();
    const programs = await localPrograms(version, say);
    checkVisible(programs.kubernetes);
    await local.down(name, say);
    const folder = writeState(name, { provider: 'local', nodes, kubernetes: version.full });
    await startNodes({ folder, nodes, programs, say });
    say('waiting for every node to be Ready');
    return await eventualValue(() => local.find(name), 60_000);
  },

  async find(name) {
    const { nodes = 0, kubernetes } = readState(name) ?? {};
    const version = KUBERNETES_VERSIONS.find(({ full }) => full === kubernetes);
    const folder = stateFolder(name);
    const spaces = nodeAddresses(nodes).flatMap((node) => NodeSpace.find(join(folder, node.name)) ?? []);
    if (spaces.length < nodes || nodes === 0 || version === undefined) return undefined;
    const cluster = new LocalCluster(
      name,
      runningParts(folder, spaces, await localPrograms(version, () => undefined)),
    );
    const ready = await readyNodes((...args) => cluster.kubectl(...args), nodes);
    // No pod can be made before this account exists, which is soon after the nodes are Ready.
    const accounts = ready && (await cluster.kubectl('get', 'serviceaccounts', '--namespace', 'default'));
    return accounts?.includes('default') ? cluster : undefined;
  },

  async down(name) {
    await removeNodes(stateFolder(name));
    removeState(name);
  },
};

/** @throws Error when the programs are where a node has folders of its own */
function checkVisible(folder: string): void {
  const hiding = OWN_FOLDERS.find((own) => folder.startsWith(`${own}/`));
  if (hiding === undefined) return;
  throw new Error(
    `${folder} cannot be seen from a node, which has a ${hiding} of its own: set XDG_CACHE_HOME`,
  );
}

class LocalCluster extends BaseCluster {
  readonly provider = 'local';
  readonly imagePullPolicy = 'Never';
  override readonly restartsApiServer = true;
  override readonly rebootsNodes = true;
  readonly hostAddress: string;
  override readonly commandPrefix: readonly string[];
  readonly #parts: readonly NodeParts[];
  readonly #first: NodeParts;

  constructor(name: string, parts: readonly NodeParts[]) {
    const [first] = parts as [NodeParts];
    const { kubernetes, helm } = first.programs;
    super({
      name,
      kubeconfig: join(certificatesFolder(stateFolder(name)), 'admin.conf'),
      nodeNames: parts.map(({ addresses }) => addresses.name),
      programFolders: [kubernetes, dirname(helm)],
      // The user's proxy cannot be reached from the cluster's network.
      variables: { ...clusterMark(stateFolder(name)), NO_PROXY: '*', no_proxy: '*' },
    });
    this.hostAddress = first.addresses.address;
    this.commandPrefix = first.space.networkPrefix;
    this.#parts = parts;
    this.#first = first;
  }

  override async loadImage(archive: string): Promise<void> {
    await Promise.all(this.#parts.map((node) => loadImage(node, archive)));
  }

  override async restartApiServer(goneForMs = 0): Promise<void> {
    await this.#first.space.stopDaemon('kube-apiserver');
    await sleep(goneForMs);
    startApiServer(this.#first);
    await apiServerReady(this.#first);
  }

  override async rebootNode(name: string): Promise<void> {
    const node = this.#parts.find(({ addresses }) => addresses.name === name);
    if (node === undefined) throw new Error(`cluster ${this.name} has no node ${name}`);
    await rebootNode(node);
  }
}
