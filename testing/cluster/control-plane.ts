import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inPath, installPackages } from '@largepayload/tools/debian-packages';
import { freePorts } from '../processes/free-port.ts';
import { Program } from '../processes/program.ts';
import { kubernetesPrograms } from '../programs/kubernetes.ts';
import { chosenKubernetes } from '../programs/kubernetes-versions.ts';
import { apiServerCertificates, apiServerFlags, etcdFlags } from './api-server.ts';
import { writeCertificates } from './certificates.ts';
import { writeKubeconfig } from './kubeconfig.ts';

/** It takes seconds of processor time, and waits for more of them on a busy machine. */
const READY_LIMIT = 180_000;
const LOOPBACK = '127.0.0.1';

const FLAGS_WITHOUT_CLUSTER = [
  `--bind-address=${LOOPBACK}`,
  // There is nothing that the Service "kubernetes" could lead to.
  '--endpoint-reconciler-type=none',
  '--authorization-mode=RBAC',
  // Without a controller that makes the service accounts of namespaces, no pod could be made.
  '--disable-admission-plugins=ServiceAccount',
];

export interface ControlPlaneOptions {
  /** Further flags of kube-apiserver, e.g. `--watch-cache=false`. */
  readonly apiServerFlags?: readonly string[];
  /** Gets progress, a line at a time. */
  readonly say?: (line: string) => void;
}

export interface RestartOptions {
  readonly signal?: NodeJS.Signals;
  readonly goneForMs?: number;
}

/**
 * A real API server and its etcd on free ports of loopback, and nothing else: no controllers (nothing is garbage
 * collected, no namespace ends), no nodes, no service accounts but those that a test makes. It ends with this process.
 */
export interface ControlPlane extends AsyncDisposable {
  /** path of a kubeconfig with all rights, by client certificate */
  readonly kubeconfig: string;
  readonly url: string;
  /** path of the certificate authority that signed the API server's certificate */
  readonly caFile: string;
  readonly pids: { readonly etcd: number; readonly apiServer: number };
  /** Stops the API server (`SIGKILL`: as a crash would), starts it after `goneForMs` and resolves when it is ready. */
  restart(options?: RestartOptions): Promise<void>;
  stop(): Promise<void>;
}

/** @throws MissingProgramError when etcd, openssl or the API server cannot be had */
export async function startControlPlane({
  apiServerFlags: more = [],
  say = () => {},
}: ControlPlaneOptions = {}): Promise<ControlPlane> {
  if (inPath('etcd') === undefined) {
    installPackages(['etcd-server'], "etcd is needed, which keeps the API server's objects.", say);
  }
  const binary = join(await kubernetesPrograms(say), 'kube-apiserver');
  const folder = await mkdtemp(join(tmpdir(), 'control-plane-'));
  const plane = new LoopbackControlPlane(folder, binary);
  try {
    await plane.start(more);
    return plane;
  } catch (error) {
    await plane.stop();
    throw error;
  }
}

class LoopbackControlPlane implements ControlPlane {
  readonly #folder: string;
  readonly #binary: string;
  #flags: readonly string[] = [];
  #etcd: Program | undefined;
  #apiServer: Program | undefined;
  url = '';

  constructor(folder: string, binary: string) {
    this.#folder = folder;
    this.#binary = binary;
  }

  get kubeconfig(): string {
    return join(this.#folder, 'admin.conf');
  }

  get caFile(): string {
    return join(this.#folder, 'ca.crt');
  }

  get pids() {
    return { etcd: this.#etcd?.pid ?? 0, apiServer: this.#apiServer?.pid ?? 0 };
  }

  async start(moreFlags: readonly string[]): Promise<void> {
    const [clientPort, peerPort, port] = await freePorts(3);
    const etcd = { clients: `http://${LOOPBACK}:${clientPort}`, peers: `http://${LOOPBACK}:${peerPort}` };
    this.url = `https://${LOOPBACK}:${port}`;
    const place = {
      version: chosenKubernetes(),
      certificates: this.#folder,
      etcd: etcd.clients,
      address: LOOPBACK,
    };
    this.#flags = [
      ...apiServerFlags({ ...place, serviceSubnet: '10.203.0.0/24' }),
      ...FLAGS_WITHOUT_CLUSTER,
      `--secure-port=${port}`,
      ...moreFlags,
    ];
    await writeCertificates(this.#folder, apiServerCertificates());
    await writeKubeconfig(this.#folder, 'admin', this.url);
    const dataFolder = join(this.#folder, 'etcd');
    this.#etcd = await startProgram('etcd', 'etcd', etcdFlags(dataFolder, etcd), this.#folder);
    await this.#startApiServer();
  }

  async restart({ signal = 'SIGTERM', goneForMs = 0 }: RestartOptions = {}): Promise<void> {
    // SIGTERM alone would wait for every watch to end.
    await this.#apiServer?.stop(signal, 5_000);
    await sleep(goneForMs);
    await this.#startApiServer();
  }

  async stop(): Promise<void> {
    // The API server does not end soon when etcd ends first.
    await this.#apiServer?.stop('SIGTERM', 5_000);
    await this.#etcd?.stop('SIGTERM', 5_000);
    await rm(this.#folder, { recursive: true, force: true });
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #startApiServer(): Promise<void> {
    this.#apiServer = await startProgram('kube-apiserver', this.#binary, this.#flags, this.#folder);
    await untilReady(this.url, this.#folder, this.#apiServer);
  }
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
