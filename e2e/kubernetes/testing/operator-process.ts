import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseJsonLine } from '@largepayload/testing/processes/json-line';
import { Program } from '@largepayload/testing/processes/program';
import { outputFolder } from '../../testing/output.ts';
import { MetricsReading } from './metrics.ts';
import { CLUSTER_NAME } from './names.ts';
import { operatorKubectl } from './operator.ts';
import { repository } from './readme.ts';
import { OPERATOR } from './suite.ts';

interface Listening {
  readonly msg: 'listening';
  readonly metrics: string;
}

/** An operator beside the cluster, with the settings of the one in it, started again when it ends, as a kubelet does. */
export class OperatorProcess {
  restarts = -1;
  readonly #folder = mkdtempSync(join(tmpdir(), 'operator-'));
  readonly #args: readonly string[];
  readonly #running: Promise<void>;
  #program: Program | undefined;
  #metrics = '';
  #isStopping = false;

  private constructor(args: readonly string[], url: string) {
    this.#args = args;
    writeFileSync(join(this.#folder, 'config.json'), kubeconfigOf(url));
    this.#running = this.#keepRunning();
  }

  /** @param url of the API server, where no credentials are needed */
  static async start(url: string): Promise<OperatorProcess> {
    const path = '--output=jsonpath={.spec.template.spec.containers[0].args}';
    const [, ...args] = JSON.parse(await operatorKubectl('get', 'deployment', OPERATOR, path)) as string[];
    return new OperatorProcess([...args, '--lease-name=beside', '--metrics-listen=127.0.0.1:0'], url);
  }

  /** @throws Error while it does not run */
  async metrics(): Promise<MetricsReading> {
    return await MetricsReading.of(this.#metrics);
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#program?.stop();
    await this.#running;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  async #keepRunning(): Promise<void> {
    while (!this.#isStopping) {
      const { program, greeting } = await Program.start(
        {
          name: 'operator',
          command: process.execPath,
          args: [join(repository, 'operator/dist/operator.mjs'), ...this.#args],
          env: { PATH: process.env.PATH, KUBECONFIG: join(this.#folder, 'config.json') },
          logFile: join(outputFolder, 'logs', `kubernetes.${CLUSTER_NAME}.operator.log`),
        },
        (line) => parseJsonLine<Listening>(line, 'listening'),
      );
      this.restarts += 1;
      this.#program = program;
      this.#metrics = greeting.metrics;
      await program.exited;
      if (!this.#isStopping) await sleep(1_000);
    }
  }
}

function kubeconfigOf(server: string): string {
  return JSON.stringify({
    ...{ apiVersion: 'v1', kind: 'Config', 'current-context': 'proxy' },
    // The library takes plain HTTP with this alone.
    clusters: [{ name: 'proxy', cluster: { server, 'insecure-skip-tls-verify': true } }],
    users: [{ name: 'nobody', user: {} }],
    contexts: [{ name: 'proxy', context: { cluster: 'proxy', user: 'nobody' } }],
  });
}
