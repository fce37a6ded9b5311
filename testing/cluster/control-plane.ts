import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { inPath, installPackages } from '@largepayload/tools/debian-packages';
import { freePorts } from '../processes/free-port.ts';
import { Program } from '../processes/program.ts';
import { kubernetesPrograms } from '../programs/kubernetes.ts';
import { apiServerCertificates, apiServerFlags, etcdFlags } from './api-server.ts';
import { writeCertificates } from './certificates.ts';
import { writeKubeconfig } from './kubeconfig.ts';

const READY_LIMIT = 60_000;
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
    const [clientPort, peerPort, port] = await freePorts(3);
    const url = `https://${LOOPBACK}:${port}`;
    const etcd = { clients: `http://${LOOPBACK}:${clientPort}`, peers: `http://${LOOPBACK}:${peerPort}` };
    await writeCertificates(folder, apiServerCertificates());
    const kubeconfig = await writeKubeconfig(folder, 'admin', url);
    programs.etcd = await startProgram('etcd', 'etcd', etcdFlags(join(folder, 'etcd'), etcd), folder);
    const flags = [
      ...apiServerFlags({
        ...{ certificates: folder, etcd: etcd.clients },
        ...{ address: LOOPBACK, serviceSubnet: '10.203.0.0/24' },
      }),
      ...[...FLAGS_WITHOUT_CLUSTER, `--secure-port=${port}`],
      ...(options.apiServerFlags ?? []),
    ];
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
