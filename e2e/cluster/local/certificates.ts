import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runCommand } from '@largepayload/tools/run-command';
import { API_SERVER_PORT, KUBERNETES_SERVICE, type NodeAddresses } from './addresses.ts';

interface Certificate {
  /** Of its files. */
  readonly name: string;
  /** As openssl writes it. */
  readonly subject: string;
  readonly alternativeNames?: readonly string[];
  /** A kubeconfig is written for it. */
  readonly isUser?: boolean;
}

const API_SERVER_NAMES = [
  ...['IP:127.0.0.1', `IP:${KUBERNETES_SERVICE}`, 'DNS:localhost'],
  ...['DNS:kubernetes', 'DNS:kubernetes.default', 'DNS:kubernetes.default.svc'],
];

/**
 * Writes keys and certificates of a new authority, `NAME.key` and `NAME.crt`, and `NAME.conf` for those that are users
 * of the API server, into `folder`.
 */
export async function writeCertificates(folder: string, nodes: readonly NodeAddresses[]): Promise<void> {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const server = `https://${nodes[0]?.address}:${API_SERVER_PORT}`;
  const [authority] = await Promise.all([
    openssl(folder, { name: 'ca', subject: '/CN=ca' }, ['basicConstraints=critical,CA:TRUE']),
    serviceAccountKey(folder),
  ]);
  await Promise.all(
    certificates(nodes).map(async (certificate) => {
      const names = certificate.alternativeNames?.join(',');
      const extensions = ['basicConstraints=CA:FALSE', ...(names ? [`subjectAltName=${names}`] : [])];
      await openssl(folder, certificate, extensions, ['-CA', authority.crt, '-CAkey', authority.key]);
      if (certificate.isUser) writeKubeconfig(folder, certificate.name, server);
    }),
  );
}

function certificates(nodes: readonly NodeAddresses[]): Certificate[] {
  const ofNodes = nodes.map(({ name, address }) => ({
    name,
    subject: `/O=system:nodes/CN=system:node:${name}`,
    alternativeNames: [`IP:${address}`, `DNS:${name}`],
    isUser: true,
  }));
  return [
    {
      name: 'apiserver',
      subject: '/CN=kube-apiserver',
      alternativeNames: [`IP:${nodes[0]?.address}`, ...API_SERVER_NAMES],
    },
    { name: 'kubelet-client', subject: '/O=system:masters/CN=kube-apiserver-kubelet-client' },
    { name: 'front-proxy', subject: '/CN=front-proxy' },
    { name: 'admin', subject: '/O=system:masters/CN=admin', isUser: true },
    { name: 'controller-manager', subject: '/CN=system:kube-controller-manager', isUser: true },
    { name: 'scheduler', subject: '/CN=system:kube-scheduler', isUser: true },
    { name: 'proxy', subject: '/CN=system:kube-proxy', isUser: true },
    ...ofNodes,
  ];
}

async function openssl(
  folder: string,
  { name, subject }: Certificate,
  extensions: readonly string[],
  signedBy: readonly string[] = [],
): Promise<{ key: string; crt: string }> {
  const [key, crt, config] = ['key', 'crt', 'cnf'].map((suffix) => join(folder, `${name}.${suffix}`)) as [
    string,
    string,
    string,
  ];
  // Without a file of its own, openssl adds extensions of the system's.
  writeFileSync(config, `[req]\ndistinguished_name=dn\n[dn]\n[extensions]\n${extensions.join('\n')}\n`);
  await runCommand('openssl', [
    ...['req', '-x509', '-config', config, '-extensions', 'extensions', '-days', '30', '-subj', subject],
    ...['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-keyout', key, '-out', crt],
    ...signedBy,
  ]);
  return { key, crt };
}

/** RSA, as the tokens of most clusters are signed. */
async function serviceAccountKey(folder: string): Promise<void> {
  const key = join(folder, 'service-account.key');
  await runCommand('openssl', ['genrsa', '-out', key, '2048']);
  await runCommand('openssl', ['rsa', '-in', key, '-pubout', '-out', join(folder, 'service-account.pub')]);
}

function writeKubeconfig(folder: string, name: string, server: string): void {
  const file = (suffix: string) => join(folder, suffix);
  const kubeconfig = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'local', cluster: { server, 'certificate-authority': file('ca.crt') } }],
    users: [{ name, user: { 'client-certificate': file(`${name}.crt`), 'client-key': file(`${name}.key`) } }],
    contexts: [{ name: 'local', context: { cluster: 'local', user: name } }],
    'current-context': 'local',
  };
  // YAML that is JSON, too.
  writeFileSync(file(`${name}.conf`), JSON.stringify(kubeconfig, undefined, 2), { mode: 0o600 });
}
