import { readFile } from 'node:fs/promises';
import { Agent, type RequestOptions, request } from 'node:https';

export interface RawAnswer {
  /** of HTTP */
  readonly status: number;
  readonly text: string;
  /** the headers `Warning` */
  readonly warnings: readonly string[];
}

/** Plain requests to an API server by the client certificate of a kubeconfig: what a client gets to see of a pod that it makes. */
export class PodRequests implements Disposable {
  readonly #url: string;
  readonly #agent: Agent;

  private constructor(url: string, agent: Agent) {
    this.#url = url;
    this.#agent = agent;
  }

  /** @param kubeconfig path of one that a control plane of ours wrote */
  static async of(kubeconfig: string): Promise<PodRequests> {
    const { users, clusters } = JSON.parse(await readFile(kubeconfig, 'utf8'));
    const decoded = (text: string) => Buffer.from(text, 'base64');
    const { cluster } = clusters[0];
    const agent = new Agent({
      keepAlive: true,
      cert: decoded(users[0].user['client-certificate-data']),
      key: decoded(users[0].user['client-key-data']),
      ca: decoded(cluster['certificate-authority-data']),
    });
    return new PodRequests(cluster.server, agent);
  }

  /** @param query such as `dryRun=All` */
  async make(namespace: string, pod: object, query = ''): Promise<RawAnswer> {
    const headers = { 'content-type': 'application/json' };
    const path = `/api/v1/namespaces/${namespace}/pods?${query}`;
    return await this.#ask(path, { method: 'POST', headers }, JSON.stringify(pod));
  }

  async get(path: string): Promise<string> {
    return (await this.#ask(path, {})).text;
  }

  [Symbol.dispose](): void {
    this.#agent.destroy();
  }

  #ask(path: string, options: RequestOptions, body?: string): Promise<RawAnswer> {
    return new Promise((resolve, reject) => {
      const asked = request(`${this.#url}${path}`, { ...options, agent: this.#agent }, (answer) => {
        const warnings = [answer.headers.warning ?? []].flat();
        const whole = answer.toArray().then((chunks) => Buffer.concat(chunks).toString());
        whole.then((text) => resolve({ status: answer.statusCode ?? 0, text, warnings }), reject);
      });
      asked.on('error', reject).end(body);
    });
  }
}
