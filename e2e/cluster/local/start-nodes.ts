import { join } from 'node:path';
import type { LocalPrograms } from '@largepayload/testing/programs/kubernetes';
import { type NodeAddresses, nodeAddresses } from './addresses.ts';
import { writeNodeCertificates } from './certificates.ts';
import { makeCgroup } from './cgroups.ts';
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
import { loadPauseImage, startContainerd, startKubelet, startProxy } from './node-agents.ts';
import { NodeSpace } from './node-space.ts';
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
  const [first] = parts as [NodeParts];
  say('namespaces, network and certificates are made; starting etcd, kube-apiserver and containerd');
  startEtcd(first);
  startApiServer(first);
  for (const node of parts) startContainerd(node);
  await Promise.all([apiServerReady(first), ...parts.map((node) => loadPauseImage(node))]);
  say('the API server is ready; starting controllers, CoreDNS, kubelet and kube-proxy');
  startControllers(first);
  startDns(first);
  for (const node of parts) {
    startKubelet(node);
    startProxy(node);
  }
  await dnsReady(first);
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
