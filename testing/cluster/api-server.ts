import { join } from 'node:path';
import type { KubernetesVersion } from '../programs/kubernetes-versions.ts';
import type { Certificate } from './certificates.ts';

export interface EtcdAddresses {
  /** URL that clients use */
  readonly clients: string;
  /** URL that other servers would use */
  readonly peers: string;
}

/** Flags of an etcd that is alone, and whose data nobody needs after it has ended. */
export function etcdFlags(dataFolder: string, { clients, peers }: EtcdAddresses): string[] {
  return [
    `--data-dir=${dataFolder}`,
    ...[`--listen-client-urls=${clients}`, `--advertise-client-urls=${clients}`],
    ...[`--listen-peer-urls=${peers}`, `--initial-advertise-peer-urls=${peers}`],
    `--initial-cluster=default=${peers}`,
    '--unsafe-no-fsync',
  ];
}

/** What `apiServerFlags` looks for in its folder, and `admin`, a user with all rights. @param addresses beside loopback */
export function apiServerCertificates(addresses: readonly string[] = []): Certificate[] {
  return [
    {
      ...{ name: 'api-server', subject: '/CN=kube-apiserver' },
      addresses: ['IP:127.0.0.1', 'DNS:localhost', ...addresses],
    },
    { name: 'admin', subject: '/O=system:masters/CN=admin' },
    // Most clusters sign tokens by RSA.
    { name: 'service-accounts', subject: '/CN=service-accounts', keyType: 'rsa:2048' },
  ];
}

export interface ApiServerOptions {
  readonly version: KubernetesVersion;
  /** folder of `writeCertificates` */
  readonly certificates: string;
  /** URL of etcd */
  readonly etcd: string;
  /** IP address that clients reach it at */
  readonly address: string;
  /** of the addresses of Services, e.g. `10.203.0.0/24` */
  readonly serviceSubnet: string;
}

/** Flags of kube-apiserver that every cluster of tests needs. */
export function apiServerFlags(options: ApiServerOptions): string[] {
  const { version, certificates, etcd, address, serviceSubnet } = options;
  const file = (name: string) => join(certificates, name);
  return [
    `--etcd-servers=${etcd}`,
    `--advertise-address=${address}`,
    `--service-cluster-ip-range=${serviceSubnet}`,
    '--allow-privileged=true',
    // With it, the API server asks etcd over and over for what etcd 3.4 does not know. Kubernetes 1.33 does not have it.
    ...(version.minor === '1.33' ? [] : ['--feature-gates=SizeBasedListCostEstimate=false']),
    `--client-ca-file=${file('ca.crt')}`,
    ...[`--tls-cert-file=${file('api-server.crt')}`, `--tls-private-key-file=${file('api-server.key')}`],
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${file('service-accounts.crt')}`,
    `--service-account-signing-key-file=${file('service-accounts.key')}`,
  ];
}
