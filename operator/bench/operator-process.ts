import { join } from 'node:path';
import { freePorts } from '@largepayload/testing/processes/free-port';
import { cpuSecondsOf, memoryOf } from '@largepayload/testing/processes/process-facts';
import { Program } from '@largepayload/testing/processes/program';

const PROGRAM = join(import.meta.dirname, '../dist/operator.mjs');

/** The operator as it is shipped, in a process of its own, against an API server. */
export class OperatorProcess {
  readonly #program: Program;
  readonly #metricsUrl: string;
  /** ms, monotonic */
  readonly started: number;

  private constructor(program: Program, port: number, started: number) {
    this.#program = program;
    this.#metricsUrl = `http://127.0.0.1:${port}/metrics`;
    this.started = started;
  }

  /** Resolves when it listens; it may not lead yet. @param nodeFlags of Node, to try out @param moreArgs of the operator */
  static async start(
    kubeconfig: string,
    logFile: string,
    nodeFlags: readonly string[] = [],
    moreArgs: readonly string[] = [],
  ): Promise<OperatorProcess> {
    const [port = 0] = await freePorts(1);
    const started = performance.now();
    const { program } = await Program.start(
      {
        name: 'operator',
        command: process.execPath,
        args: [
          ...nodeFlags,
          PROGRAM,
          ...['--image', 'payload-store:bench', '--namespace', 'default'],
          ...['--metrics-listen', `127.0.0.1:${port}`],
          ...moreArgs,
        ],
        env: { ...process.env, KUBECONFIG: kubeconfig },
        logFile,
      },
      (line) => line.includes('"listening"') || undefined,
    );
    return new OperatorProcess(program, port, started);
  }

  /** s of processor time so far */
  get cpuSeconds(): number {
    return cpuSecondsOf(this.#program.pid);
  }

  /** MiB: `VmRSS` now, `VmHWM` at most so far */
  memory(field: 'VmRSS' | 'VmHWM'): number {
    return memoryOf(this.#program.pid, field);
  }

  /** Whether `/readyz` says that it can serve and lead. */
  async isReady(): Promise<boolean> {
    return (await fetch(new URL('/readyz', this.#metricsUrl))).ok;
  }

  /** What it counts itself, from its `/metrics`. */
  async counters(): Promise<Counters> {
    const text = await this.#metrics();
    return {
      requests: sum(text, 'api_requests_total'),
      reconciles: sum(text, 'reconcile_total'),
      queued: sum(text, 'queue_depth'),
    };
  }

  /** Pods that should have a sidecar and have been looked at. */
  async workers(): Promise<number> {
    return sum(await this.#metrics(), 'worker_pods');
  }

  async #metrics(): Promise<string> {
    return await (await fetch(this.#metricsUrl)).text();
  }

  async stop(): Promise<void> {
    await this.#program.stop('SIGTERM');
  }
}

export interface Counters {
  /** to the API server; a watch counts once */
  readonly requests: number;
  readonly reconciles: number;
  /** stores that wait for their turn */
  readonly queued: number;
}

function sum(text: string, name: string): number {
  return [...text.matchAll(new RegExp(`^large_payload_operator_${name}(?:{[^}]*})? ([0-9.e+]+)$`, 'gm'))]
    .map(([, value]) => Number(value))
    .reduce((total, value) => total + value, 0);
}
