import { apiServerCertificates } from '@largepayload/testing/cluster/api-server';
import { type Certificate, writeCertificates } from '@largepayload/testing/cluster/certificates';
import { writeKubeconfig } from '@largepayload/testing/cluster/kubeconfig';
import { API_SERVER_PORT, KUBERNETES_SERVICE, type NodeAddresses } from './addresses.ts';

const SERVICE_NAMES = [
  `IP:${KUBERNETES_SERVICE}`,
  ...['DNS:kubernetes', 'DNS:kubernetes.default', 'DNS:kubernetes.default.svc'],
];

/** Users of the API server beside the nodes. */
const USERS: readonly Certificate[] = [
  { name: 'controller-manager', subject: '/CN=system:kube-controller-manager' },
  { name: 'scheduler', subject: '/CN=system:kube-scheduler' },
  { name: 'proxy', subject: '/CN=system:kube-proxy' },
];

/**
 * Writes keys and certificates of a new authority, `NAME.key` and `NAME.crt`, and `NAME.conf` for those that are users
 * of the API server, into `folder`.
 */
export async function writeNodeCertificates(folder: string, nodes: readonly NodeAddresses[]): Promise<void> {
  const address = nodes[0]?.address;
  const ofNodes = nodes.map(({ name, address }) => ({
    ...{ name, subject: `/O=system:nodes/CN=system:node:${name}` },
    addresses: [`IP:${address}`, `DNS:${name}`],
  }));
  await writeCertificates(folder, [
    ...apiServerCertificates([`IP:${address}`, ...SERVICE_NAMES]),
    { name: 'kubelet-client', subject: '/O=system:masters/CN=kube-apiserver-kubelet-client' },
    { name: 'front-proxy', subject: '/CN=front-proxy' },
    ...USERS,
    ...ofNodes,
  ]);
  const server = `https://${address}:${API_SERVER_PORT}`;
  const users = [{ name: 'admin' }, ...USERS, ...ofNodes];
  await Promise.all(users.map(({ name }) => writeKubeconfig(folder, name, server)));
}
