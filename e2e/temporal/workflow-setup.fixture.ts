import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePorts } from '@largepayload/testing/processes/free-port';
import { outputFolder } from '@largepayload/testing/processes/output-folder';
import { Program } from '@largepayload/testing/processes/program';
import { RunningService } from '@largepayload/testing/service/service-process';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, inject } from 'vitest';
import { payloadCodecs } from './app/codecs.ts';

export const repository = join(import.meta.dirname, '../..');
export const payloadStore = join(repository, 'sidecar/dist/payload-store.mjs');

export interface WorkerOptions {
  readonly taskQueue: string;
  /** Names of codecs, separated by commas; see app/codecs.ts. */
  readonly codecs?: string;
  /** Variables beside those that every worker gets. */
  readonly env?: Readonly<Record<string, string>>;
}

/** Whether a line of the SDK's log says that the worker polls. */
export const isWorkerRunning = (line: string): true | undefined =>
  line.includes("state: 'RUNNING'") || undefined;

/** The suite's Temporal server, and a payload store for one test file. */
export class TestBed {
  readonly suite = inject('suite');
  readonly dataFolder = mkdtempSync(join(tmpdir(), 'payload-store-e2e-'));
  readonly #name: string;
  readonly #port: number;
  readonly #programs: Program[] = [];
  readonly #connection: Connection;
  #service: RunningService | undefined;

  private constructor(name: string, port: number, connection: Connection) {
    this.#name = name;
    this.#port = port;
    this.#connection = connection;
  }

  static async open(name: string): Promise<TestBed> {
    const [port = 0] = await freePorts(1);
    const connection = await Connection.connect({ address: inject('suite').address });
    const bed = new TestBed(name, port, connection);
    await bed.startService();
    return bed;
  }

  get service(): RunningService {
    if (this.#service === undefined) throw new Error('the service is not running');
    return this.#service;
  }

  get serviceUrl(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** Starts the service, on the same port and folder each time. */
  async startService(): Promise<void> {
    const anyPort = '127.0.0.1:0';
    this.#service = await RunningService.start(
      payloadStore,
      [
        ...['--config', join(import.meta.dirname, 'store.yaml'), '--data-dir', this.dataFolder],
        ...['--listen', `127.0.0.1:${this.#port}`, '--metrics-listen', anyPort, '--admin-listen', anyPort],
      ],
      this.#logFile('payload-store'),
    );
    this.#programs.push(this.#service.program);
  }

  async stopService(): Promise<void> {
    await this.service.stop();
    this.#service = undefined;
  }

  /** Starts a worker in a process of its own, and waits until it polls. */
  async startWorker({ taskQueue, codecs = 'large', env = {} }: WorkerOptions): Promise<Program> {
    return await this.startProgram(
      {
        name: `worker of ${taskQueue}`,
        command: process.execPath,
        args: ['--conditions=largepayload-source', join(import.meta.dirname, 'app/worker.ts')],
        env: {
          ...this.environment,
          E2E_TASK_QUEUE: taskQueue,
          E2E_WORKFLOW_BUNDLE: this.suite.workflowBundle,
          E2E_CODECS: codecs,
          ...env,
        },
      },
      isWorkerRunning,
    );
  }

  /** Starts a program, which is stopped when the bed closes. */
  async startProgram(
    options: Parameters<typeof Program.start>[0],
    ready: (line: string) => true | undefined,
  ): Promise<Program> {
    const { program } = await Program.start({ ...options, logFile: this.#logFile(options.name) }, ready);
    this.#programs.push(program);
    return program;
  }

  /** Environment of a program that is a worker or a client. */
  get environment(): NodeJS.ProcessEnv {
    return {
      ...process.env,
      TEMPORAL_ADDRESS: this.suite.address,
      LARGE_PAYLOAD_SERVICE_URL: this.serviceUrl,
      // The codec must take the namespace from Temporal's serialization context.
      TEMPORAL_NAMESPACE: undefined,
    };
  }

  client(codecs = 'large'): Client {
    return new Client({
      connection: this.#connection,
      dataConverter: { payloadCodecs: payloadCodecs(codecs, { url: this.serviceUrl }) },
    });
  }

  printLogs(): void {
    for (const program of this.#programs) console.error(`${program.name}${program.logTail(30)}\n`);
  }

  async close(): Promise<void> {
    // Stop workers first, since at their end they wait for the programs that they use.
    for (const program of this.#programs.reverse()) await program.stop();
    await this.#connection.close();
    rmSync(this.dataFolder, { recursive: true, force: true });
  }

  #logFile(program: string): string {
    const name = `${this.#name}.${program}`.replaceAll(/[^a-zA-Z0-9.]+/g, '-');
    return join(outputFolder, 'logs', `${name}.log`);
  }
}

/** Opens a test bed for the tests of a file. When a test fails, the logs of its programs are printed. */
export function useTestBed(name: string): { readonly bed: TestBed } {
  let bed: TestBed | undefined;
  beforeAll(async () => {
    bed = await TestBed.open(name);
  });
  // biome-ignore lint/correctness/noEmptyPattern: vitest demands a pattern
  afterAll(async ({}, suite) => {
    if ([suite, ...suite.tasks].some(({ result }) => result?.state === 'fail')) bed?.printLogs();
    await bed?.close();
  });
  return {
    get bed() {
      if (bed === undefined) throw new Error('the test bed is opened before the first test');
      return bed;
    },
  };
}
