import { join } from 'node:path';
import type { LocalPrograms } from '@largepayload/testing/programs/kubernetes';
import { type NodeAddresses, nodeAddresses } from './addresses.ts';
import { writeNodeCertificates } from './certificates.ts';
import { makeCgroup, removeCgroup } from './cgroups.ts';
import {
  apiServerReady,
  dnsReady,
  type NodeParts,
  startApiServer,
  startControllers,
  startDns,
  startEtcd,
} from './control-plane.ts';
import { connectNodes } from './network.ts';
import { kubeletReady, loadPauseImage, startContainerd, startKubelet, startProxy } from './node-agents.ts';
import { NodeSpace } from './node-space.ts';
import { losePower } from './power-loss.ts';
import { cgroupOf } from './removal.ts';

export interface StartOptions {
  /** Folder of the cluster's state. */
  readonly folder: string;
  readonly nodes: number;
  readonly programs: LocalPrograms;
  readonly say: (line: string) => void;
}

/** Starts all processes of a cluster. Its nodes become Ready soon after. */
export async function startNodes({ folder, nodes, programs, say }: StartOptions): Promise<void> {
  const parts = await nodeParts(folder, nodes, programs);
  say('namespaces, network and certificates are made; starting etcd, kube-apiserver and containerd');
  await boot(parts, say);
}

/** Kills all that runs on a node, and starts it again. Resolves when its kubelet is at work. */
export async function rebootNode(node: NodeParts): Promise<void> {
  await losePower(node.space);
  // cAdvisor waits 3 s for each container whose cgroup is there without it.
  await removeCgroup(node.cgroup);
  makeCgroup(node.cgroup);
  await boot([node], () => undefined);
  await kubeletReady(node);
}

/** Starts all processes of these nodes, of which the first one of the cluster has its control plane. */
async function boot(nodes: readonly NodeParts[], say: StartOptions['say']): Promise<void> {
  const control = nodes.filter(({ addresses, firstAddress }) => addresses.address === firstAddress);
  for (const node of control) {
    startEtcd(node);
    startApiServer(node);
  }
  for (const node of nodes) startContainerd(node);
  await Promise.all([...control.map(apiServerReady), ...nodes.map(loadPauseImage)]);
  say('the API server is ready; starting controllers, CoreDNS, kubelet and kube-proxy');
  for (const node of control) {
    startControllers(node);
    startDns(node);
  }
  for (const node of nodes) {
    startKubelet(node);
    startProxy(node);
  }
  await Promise.all(control.map(dnsReady));
}

async function nodeParts(folder: string, count: number, programs: LocalPrograms): Promise<NodeParts[]> {
  const nodes = nodeAddresses(count);
  const spaces = await Promise.all(nodes.map(({ name }) => NodeSpace.start(join(folder, name))));
  await Promise.all([connectNodes(spaces, nodes), writeNodeCertificates(certificatesFolder(folder), nodes)]);
  for (const space of spaces) makeCgroup(cgroupOf(space.folder));
  return runningParts(folder, spaces, programs);
}

/** The parts of nodes that run already. */
export function runningParts(
  folder: string,
  spaces: readonly NodeSpace[],
  programs: LocalPrograms,
): NodeParts[] {
  const nodes = nodeAddresses(spaces.length);
  const firstAddress = nodes[0]?.address as string;
  const certificates = certificatesFolder(folder);
  return spaces.map((space, index) => {
    const addresses = nodes[index] as NodeAddresses;
    return { space, addresses, programs, certificates, firstAddress, cgroup: cgroupOf(space.folder) };
  });
}

export function certificatesFolder(folder: string): string {
  return join(folder, 'certificates');
}
