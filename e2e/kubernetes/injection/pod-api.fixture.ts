import { Program } from '@largepayload/testing/processes/program';
import type { Cluster } from '../../cluster/provider.ts';
import type { Pod } from './worker-pod.fixture.ts';

/** What the API server answers to a new pod. */
export interface Admission {
  /** as it was admitted; absent when it was refused */
  readonly pod?: Pod;
  readonly warnings: readonly string[];
  /** the message of a refusal */
  readonly refusal?: string;
}

interface Status {
  readonly message?: string;
}

/** Makes pods by calls of the API, whose answers keep warnings, object and refusal apart. */
export class PodApi implements AsyncDisposable {
  readonly #proxy: Program;
  readonly #url: string;

  private constructor(proxy: Program, port: string) {
    this.#proxy = proxy;
    this.#url = `http://127.0.0.1:${port}`;
  }

  static async start(cluster: Cluster): Promise<PodApi> {
    // `kubectl proxy` has the credentials of the kubeconfig, of whatever kind.
    const command = cluster.command('kubectl', ['proxy', '--port=0']);
    const { program, greeting } = await Program.start(
      { name: 'kubectl proxy', ...command, env: cluster.environment },
      (line) => /serve on 127\.0\.0\.1:(\d+)/.exec(line)?.[1],
    );
    return new PodApi(program, greeting);
  }

  async create(namespace: string, pod: object): Promise<Admission> {
    return await this.#post(`/api/v1/namespaces/${namespace}/pods`, pod);
  }

  /** What `create` would answer. No pod is made. */
  async tryOut(namespace: string, pod: object): Promise<Admission> {
    return await this.#post(`/api/v1/namespaces/${namespace}/pods?dryRun=All`, pod);
  }

  async #post(path: string, object: object): Promise<Admission> {
    const answer = await fetch(this.#url + path, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(object),
    });
    const warnings = warningsIn(answer.headers.get('warning') ?? '');
    const body = (await answer.json()) as Status;
    if (answer.ok) return { pod: body as Pod, warnings };
    return { warnings, refusal: body.message ?? `${answer.status}` };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#proxy.stop('SIGKILL');
  }
}

/** The texts of `299 - "TEXT", 299 - "TEXT"` (RFC 7234, 5.5). */
function warningsIn(header: string): string[] {
  return [...header.matchAll(/299 \S+ "((?:[^"\\]|\\.)*)"/g)].map(([, text = '']) =>
    text.replaceAll(/\\(.)/g, '$1'),
  );
}
