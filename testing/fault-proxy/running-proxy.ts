import { join } from 'node:path';
import { parseJsonLine } from '@largepayload/testing/processes/json-line';
import { Program } from '@largepayload/testing/processes/program';
import { ACCESS_KEY, SECRET_KEY } from '@largepayload/testing/s3-servers/s3-server';
import { outputFolder } from '../processes/output-folder.ts';
import type { FaultRule } from './fault-rules.ts';
import type { Observed } from './observations.ts';

interface Listening {
  readonly msg: 'listening';
  readonly proxy: string;
  readonly control: string;
}

/** `fault-proxy.ts` in a process of its own. */
export class RunningProxy {
  /** URL that clients use as that of the S3 server. */
  readonly endpoint: string;
  readonly #program: Program;
  readonly #control: string;

  private constructor(program: Program, { proxy, control }: Listening) {
    this.#program = program;
    this.endpoint = `http://${proxy}`;
    this.#control = `http://${control}`;
  }

  /** @param backend URL of the S3 server */
  static async start(backend: string, seed: number): Promise<RunningProxy> {
    const { program, greeting } = await Program.start(
      {
        name: 'fault proxy',
        command: process.execPath,
        args: [
          '--conditions=largepayload-source',
          join(import.meta.dirname, 'fault-proxy.ts'),
          backend,
          String(seed),
        ],
        env: { ...process.env, AWS_ACCESS_KEY_ID: ACCESS_KEY, AWS_SECRET_ACCESS_KEY: SECRET_KEY },
        logFile: join(outputFolder, 'logs', 'fault-proxy.log'),
      },
      (line) => parseJsonLine<Listening>(line, 'listening'),
    );
    return new RunningProxy(program, greeting);
  }

  /** Replaces all rules by these. */
  async inject(...rules: readonly FaultRule[]): Promise<void> {
    await this.#ask('PUT', '/rules', JSON.stringify(rules));
  }

  /** Resolves when it takes connections again. */
  async refuse(milliseconds: number): Promise<void> {
    await this.#ask('POST', `/refuse?ms=${milliseconds}`);
  }

  async observed(): Promise<Observed> {
    return (await this.#ask('GET', '/observed')) as Observed;
  }

  async stop(): Promise<void> {
    await this.#program.stop();
  }

  async #ask(method: string, path: string, body?: string): Promise<unknown> {
    const answer = await fetch(this.#control + path, { method, ...(body === undefined ? {} : { body }) });
    if (!answer.ok) throw new Error(`fault proxy: ${await answer.text()}`);
    return await answer.json();
  }
}
