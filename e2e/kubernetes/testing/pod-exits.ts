import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { StoreBed } from './store-bed.ts';

const TERMINATED = '{.status.containerStatuses[0].state.terminated.exitCode}';

/** Notes from now on with what codes the containers of a store's pods end; pods go soon after. */
export class PodExits implements AsyncDisposable {
  readonly #child;
  readonly #closed: Promise<unknown>;
  readonly #codes = new Map<string, string>();

  constructor({ cluster, namespace }: StoreBed, store: string) {
    const { command, args } = cluster.command('kubectl', [
      ...['--namespace', namespace, 'get', 'pods', `--selector=largepayload.dev/store=${store}`, '--watch'],
      `--output=jsonpath={.metadata.name} ${TERMINATED}{"\\n"}`,
    ]);
    this.#child = spawn(command, args, { env: cluster.environment, stdio: ['ignore', 'pipe', 'inherit'] });
    this.#closed = once(this.#child, 'close');
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      for (const [, name = '', code = ''] of text.matchAll(/^(\S+) (\d+)$/gm)) this.#codes.set(name, code);
    });
  }

  /** of the containers that have ended */
  get codes(): string[] {
    return [...this.#codes.values()];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#closed;
  }
}
