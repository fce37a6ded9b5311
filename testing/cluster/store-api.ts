import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { Agent, request } from 'node:https';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { crd } from '@largepayload/crds/crd';
import { API_VERSION } from '@largepayload/crds/identity';
import { at } from '@largepayload/crds/json-fields';
import { kubernetesPrograms } from '../programs/kubernetes.ts';
import { startControlPlane } from './control-plane.ts';

/** What the API server answered: an object, or a `Status` with the message that kubectl shows. */
export interface Answer {
  readonly kind?: string;
  readonly code?: number;
  readonly message?: string;
  readonly [field: string]: unknown;
}

export interface Ran {
  readonly code: number;
  readonly output: string;
  readonly errors: string;
}

/** A real API server that knows the CustomResourceDefinition. */
export interface StoreApi extends AsyncDisposable {
  /** of the CustomResourceDefinition, by type */
  readonly conditions: Readonly<Record<string, string>>;
  /** @param path below the server's address @param body JSON; absent: none */
  call(method: string, path: string, body?: string, contentType?: string): Promise<Answer>;
  kubectl(args: readonly string[], input?: string): Promise<Ran>;
  stop(): Promise<void>;
}

const ESTABLISH_LIMIT = 20_000;
const DEFINITIONS = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';

/** Where the stores of a namespace are, or one of them. */
export function storePath(namespace: string, ...rest: readonly string[]): string {
  return [`/apis/${API_VERSION}/namespaces/${namespace}/largepayloadstores`, ...rest].join('/');
}

/** @throws Error when the API server refuses the definition, or does not establish it */
export async function startStoreApi(): Promise<StoreApi> {
  const say = (line: string) => process.stderr.write(`${line}\n`);
  const plane = await startControlPlane({ say });
  const kubectlPath = join(await kubernetesPrograms(say), 'kubectl');
  const call = caller(plane.kubeconfig);
  const kubectl = async (args: readonly string[], input?: string) =>
    await run(kubectlPath, ['--kubeconfig', plane.kubeconfig, ...args], input);
  try {
    const answer = await call('POST', DEFINITIONS, JSON.stringify(crd()));
    if (answer.kind === 'Status') throw new Error(answer.message);
    const conditions = await established(call);
    const stop = () => plane.stop();
    return { conditions, call, kubectl, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await plane.stop();
    throw error;
  }
}

async function established(call: StoreApi['call']): Promise<Record<string, string>> {
  const end = performance.now() + ESTABLISH_LIMIT;
  for (;;) {
    const answer = await call('GET', `${DEFINITIONS}/${crd().metadata.name}`);
    const conditions = (at(answer, 'status', 'conditions') ?? []) as { type: string; status: string }[];
    const byType = Object.fromEntries(conditions.map(({ type, status }) => [type, status]));
    // Established a moment before it is served.
    if (byType.Established === 'True' && (await call('GET', storePath('default'))).kind !== 'Status')
      return byType;
    if (performance.now() > end) throw new Error(`not established: ${JSON.stringify(conditions)}`);
    await sleep(50);
  }
}

function caller(kubeconfig: string): StoreApi['call'] {
  const { clusters, users } = JSON.parse(readFileSync(kubeconfig, 'utf8'));
  const { server, ...cluster } = clusters[0].cluster;
  const decoded = (text: string) => Buffer.from(text, 'base64');
  const agent = new Agent({
    keepAlive: true,
    ca: decoded(cluster['certificate-authority-data']),
    cert: decoded(users[0].user['client-certificate-data']),
    key: decoded(users[0].user['client-key-data']),
  });
  return (method, path, body, contentType = 'application/json') =>
    new Promise((resolve, reject) => {
      const headers = body === undefined ? {} : { 'content-type': contentType };
      const asked = request(server + path, { method, agent, headers }, async (answer) => {
        const text = Buffer.concat(await answer.toArray()).toString();
        resolve(text.startsWith('{') ? JSON.parse(text) : { message: text });
      });
      asked.on('error', reject).end(body);
    });
}

function run(command: string, args: readonly string[], input: string | undefined): Promise<Ran> {
  return new Promise((resolve) => {
    const child = execFile(command, args, { timeout: 60_000 }, (error, output, errors) =>
      resolve({ code: error === null ? 0 : Number(error.code ?? 1), output, errors }),
    );
    child.stdin?.end(input);
  });
}
