import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { apiServerFlags, etcdFlags } from '@largepayload/testing/cluster/api-server';
import type { LocalPrograms } from '@largepayload/testing/programs/kubernetes';
import { KUBERNETES_SERVICE, type NodeAddresses, POD_SUBNETS, SERVICE_SUBNET } from './addresses.ts';
import type { NodeSpace } from './node-space.ts';

/** What the programs of one node are started with. */
export interface NodeParts {
  readonly space: NodeSpace;
  readonly addresses: NodeAddresses;
  readonly programs: LocalPrograms;
  /** Folder of `writeNodeCertificates`. */
  readonly certificates: string;
  /** Address of the first node, where API server and DNS are. */
  readonly firstAddress: string;
  /** Path of a cgroup that exists in each hierarchy. */
  readonly cgroup: string;
}

const ETCD = { clients: 'http://127.0.0.1:2379', peers: 'http://127.0.0.1:2380' };

export function startEtcd({ space }: NodeParts): void {
  space.startDaemon('etcd', 'etcd', etcdFlags('/var/lib/etcd', ETCD));
}

export function startApiServer({ space, addresses, programs, certificates }: NodeParts): void {
  const file = (name: string) => join(certificates, name);
  const { address } = addresses;
  space.startDaemon('kube-apiserver', join(programs.kubernetes, 'kube-apiserver'), [
    ...apiServerFlags({
      ...{ version: programs.version, certificates, etcd: ETCD.clients, address },
      serviceSubnet: SERVICE_SUBNET,
    }),
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    '--kubelet-preferred-address-types=InternalIP',
    `--kubelet-client-certificate=${file('kubelet-client.crt')}`,
    `--kubelet-client-key=${file('kubelet-client.key')}`,
    `--requestheader-client-ca-file=${file('ca.crt')}`,
    '--requestheader-allowed-names=front-proxy',
    '--requestheader-username-headers=X-Remote-User',
    '--requestheader-group-headers=X-Remote-Group',
    '--requestheader-extra-headers-prefix=X-Remote-Extra-',
    `--proxy-client-cert-file=${file('front-proxy.crt')}`,
    `--proxy-client-key-file=${file('front-proxy.key')}`,
  ]);
}

/** Call it when the API server is ready: the controller manager ends when it has no right to read yet. */
export function startControllers({ space, programs, certificates }: NodeParts): void {
  const file = (name: string) => join(certificates, name);
  const start = (name: string, user: string, more: readonly string[]) =>
    space.startDaemon(name, join(programs.kubernetes, name), [
      ...['kubeconfig', 'authentication-kubeconfig', 'authorization-kubeconfig'].map(
        (flag) => `--${flag}=${file(`${user}.conf`)}`,
      ),
      '--leader-elect=false',
      ...more,
    ]);
  start('kube-scheduler', 'scheduler', []);
  start('kube-controller-manager', 'controller-manager', [
    `--root-ca-file=${file('ca.crt')}`,
    `--service-account-private-key-file=${file('service-accounts.key')}`,
    `--cluster-signing-cert-file=${file('ca.crt')}`,
    `--cluster-signing-key-file=${file('ca.key')}`,
    `--cluster-cidr=${POD_SUBNETS}`,
    `--service-cluster-ip-range=${SERVICE_SUBNET}`,
    '--use-service-account-credentials=true',
    // With the default rates it waits for seconds at its start.
    '--kube-api-qps=500',
    '--kube-api-burst=500',
    // By default 50 s without news make a node NotReady, and all its pods with it. On a busy machine an API server that restarts
    // takes longer, and tests would then see Kubernetes' reaction instead of the operator's.
    '--node-monitor-grace-period=300s',
  ]);
}

/** Starts DNS on this node, for the pods of all nodes. */
export function startDns({ space, addresses, programs, certificates }: NodeParts): void {
  const file = join(space.folder, 'Corefile');
  const text = `cluster.local in-addr.arpa {
    bind ${addresses.address}
    errors
    kubernetes cluster.local in-addr.arpa {
        kubeconfig ${join(certificates, 'admin.conf')}
        ttl 1
    }
}
# All other names do not exist.
. {
    bind ${addresses.address}
    template ANY ANY {
        rcode NXDOMAIN
    }
}
`;
  writeFileSync(file, text);
  space.startDaemon('coredns', programs.coredns, ['-conf', file]);
}

/** Waits until the API server is ready. @throws Error with the end of its log, when it takes too long */
export async function apiServerReady({ space, programs, certificates }: NodeParts): Promise<void> {
  const kubeconfig = `--kubeconfig=${join(certificates, 'admin.conf')}`;
  await space.ready('kube-apiserver', async () => {
    await space.run(join(programs.kubernetes, 'kubectl'), kubeconfig, 'get', '--raw', '/readyz');
  });
}

/** Waits until DNS knows the Service `kubernetes`. @throws Error with the end of its log, when it takes too long */
export async function dnsReady({ space, addresses }: NodeParts): Promise<void> {
  const name = 'kubernetes.default.svc.cluster.local';
  await space.ready('coredns', async () => {
    const answer = await space.run('/bin/busybox', 'nslookup', '-type=a', name, addresses.address);
    if (!answer.includes(KUBERNETES_SERVICE)) throw new Error(`DNS answers ${answer}`);
  });
}
