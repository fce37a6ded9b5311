import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inPath, installPackages } from '@largepayload/tools/debian-packages';
import { freePorts } from '../processes/free-port.ts';
import { Program } from '../processes/program.ts';
import { kubernetesPrograms } from '../programs/kubernetes.ts';
import { type Certificate, writeCertificates } from './certificates.ts';

const READY_LIMIT = 60_000;

export interface ControlPlaneOptions {
  /** Further flags of kube-apiserver, e.g. `--watch-cache=false`. */
  readonly apiServerFlags?: readonly string[];
  /** Told about progress, a line at a time. */
  readonly say?: (line: string) => void;
}

/**
 * A real API server and its etcd on free ports of loopback, and nothing else: no controllers (nothing is garbage
 * collected, no namespace ends), no nodes, no service accounts but those one makes. Gone with this process.
 */
export interface ControlPlane extends AsyncDisposable {
  /** path of a kubeconfig with all rights, by client certificate */
  readonly kubeconfig: string;
  readonly url: string;
  /** path of the certificate authority that signed the API server's certificate */
  readonly caFile: string;
  readonly pids: { readonly etcd: number; readonly apiServer: number };
  /** Stops the API server (`SIGKILL`: as a crash would), starts it after `goneForMs` and resolves when it is ready. */
  restart(options?: { signal?: NodeJS.Signals; goneForMs?: number }): Promise<void>;
  stop(): Promise<void>;
}

/** @throws MissingProgramError when etcd, openssl or the API server cannot be had */
export async function startControlPlane(options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const say = options.say ?? (() => {});
  if (inPath('etcd') === undefined) {
    installPackages(['etcd-server'], "etcd is needed, which keeps the API server's objects.", say);
  }
  const binary = join(await kubernetesPrograms(say), 'kube-apiserver');
  const folder = await mkdtemp(join(tmpdir(), 'control-plane-'));
  const programs: { etcd?: Program; apiServer?: Program } = {};
  const stop = async () => {
    // The API server lingers when etcd goes first.
    await programs.apiServer?.stop('SIGTERM', 5_000);
    await programs.etcd?.stop('SIGTERM', 5_000);
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const [clientPort = 0, peerPort = 0, port = 0] = await freePorts(3);
    const url = `https://127.0.0.1:${port}`;
    await writeCertificates(folder, CERTIFICATES);
    const kubeconfig = await writeKubeconfig(folder, url);
    programs.etcd = await startEtcd(folder, clientPort, peerPort);
    const flags = [...apiServerFlags(folder, port, clientPort), ...(options.apiServerFlags ?? [])];
    const startApiServer = async () => {
      programs.apiServer = await startProgram('kube-apiserver', binary, flags, folder);
      await untilReady(url, folder, programs.apiServer);
    };
    await startApiServer();
    return {
      kubeconfig,
      url,
      caFile: join(folder, 'ca.crt'),
      get pids() {
        return { etcd: programs.etcd?.pid ?? 0, apiServer: programs.apiServer?.pid ?? 0 };
      },
      async restart({ signal = 'SIGTERM', goneForMs = 0 } = {}) {
        // It would wait for every watch to end.
        await programs.apiServer?.stop(signal, 5_000);
        await sleep(goneForMs);
        await startApiServer();
      },
      stop,
      [Symbol.asyncDispose]: stop,
    };
  } catch (error) {
    await stop();
    throw error;
  }
}

const CERTIFICATES: readonly Certificate[] = [
  { name: 'api-server', subject: '/CN=kube-apiserver', addresses: 'IP:127.0.0.1,DNS:localhost' },
  { name: 'admin', subject: '/O=system:masters/CN=admin' },
  { name: 'service-accounts', subject: '/CN=service-accounts' },
];

async function startEtcd(folder: string, clientPort: number, peerPort: number): Promise<Program> {
  const client = `http://127.0.0.1:${clientPort}`;
  const peer = `http://127.0.0.1:${peerPort}`;
  const flags = [
    `--data-dir=${join(folder, 'etcd')}`,
    ...[`--listen-client-urls=${client}`, `--advertise-client-urls=${client}`],
    ...[`--listen-peer-urls=${peer}`, `--initial-advertise-peer-urls=${peer}`],
    `--initial-cluster=default=${peer}`,
    '--unsafe-no-fsync',
  ];
  return await startProgram('etcd', 'etcd', flags, folder);
}

function apiServerFlags(folder: string, port: number, etcdPort: number): string[] {
  const file = (name: string) => join(folder, name);
  return [
    `--etcd-servers=http://127.0.0.1:${etcdPort}`,
    ...['--bind-address=127.0.0.1', '--advertise-address=127.0.0.1', `--secure-port=${port}`],
    // There is nothing that the Service "kubernetes" could lead to.
    '--endpoint-reconciler-type=none',
    ...[`--tls-cert-file=${file('api-server.crt')}`, `--tls-private-key-file=${file('api-server.key')}`],
    `--client-ca-file=${file('ca.crt')}`,
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${file('service-accounts.crt')}`,
    `--service-account-signing-key-file=${file('service-accounts.key')}`,
    '--service-cluster-ip-range=10.203.0.0/24',
    '--authorization-mode=RBAC',
    // Without a controller that makes the service accounts of namespaces, no pod could be made.
    '--disable-admission-plugins=ServiceAccount',
    '--allow-privileged=true',
  ];
}

async function startProgram(
  name: string,
  command: string,
  args: readonly string[],
  folder: string,
): Promise<Program> {
  const logFile = join(folder, 'log', `${name}.log`);
  await mkdir(join(folder, 'log'), { recursive: true });
  const options = { name, command, args, logFile };
  const { program } = await Program.start(options, () => 'a first line');
  return program;
}

async function writeKubeconfig(folder: string, server: string): Promise<string> {
  const data = async (name: string) => (await readFile(join(folder, name))).toString('base64');
  const cluster = { server, 'certificate-authority-data': await data('ca.crt') };
  const user = {
    'client-certificate-data': await data('admin.crt'),
    'client-key-data': await data('admin.key'),
  };
  const path = join(folder, 'kubeconfig.json');
  const config = {
    apiVersion: 'v1',
    kind: 'Config',
    clusters: [{ name: 'control-plane', cluster }],
    users: [{ name: 'admin', user }],
    contexts: [{ name: 'admin', context: { cluster: 'control-plane', user: 'admin' } }],
    'current-context': 'admin',
  };
  await writeFile(path, JSON.stringify(config), { mode: 0o600 });
  return path;
}

async function untilReady(url: string, folder: string, program: Program): Promise<void> {
  const ca = await readFile(join(folder, 'ca.crt'));
  const end = performance.now() + READY_LIMIT;
  while (!(await isReady(`${url}/readyz`, ca))) {
    if (program.isRunning && performance.now() < end) await sleep(100);
    else throw new Error(`the API server is not ready${program.logTail(20)}`);
  }
}

function isReady(url: string, ca: Buffer): Promise<boolean> {
  return new Promise((resolve) => {
    const asked = request(url, { ca, agent: false, timeout: 5_000 }, (answer) => {
      answer.resume();
      resolve(answer.statusCode === 200);
    });
    asked
      .on('timeout', () => asked.destroy())
      .on('error', () => resolve(false))
      .end();
  });
}
