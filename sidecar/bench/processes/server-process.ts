import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { cpuSecondsOf, memoryOf } from '@largepayload/testing/processes/process-facts';

/** A server in a process of its own, so that its processor time and memory are measured without the load client's. */
export class ServerProcess {
  readonly #child: ChildProcess;
  readonly port: number;
  readonly adminPort: number;
  /** `NaN`: the server has none */
  readonly metricsPort: number;
  /** ms from the start of the process until it listened */
  readonly startTime: number;

  private constructor(child: ChildProcess, listening: Record<string, string>, startTime: number) {
    this.#child = child;
    this.port = Number(listening.data?.split(':').at(-1));
    this.adminPort = Number(listening.admin?.split(':').at(-1));
    this.metricsPort = Number(listening.metrics?.split(':').at(-1));
    this.startTime = startTime;
  }

  /** Starts Node with these arguments and waits for its line `{"msg":"listening",…}`. */
  static async start(...args: string[]): Promise<ServerProcess> {
    return await ServerProcess.startProgram(process.execPath, args);
  }

  /** Starts any program that prints the same line. */
  static async startProgram(
    command: string,
    args: readonly string[],
    env: NodeJS.ProcessEnv = process.env,
  ): Promise<ServerProcess> {
    const started = performance.now();
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'inherit'], env });
    for await (const line of createInterface({ input: child.stdout })) {
      const parsed = JSON.parse(line) as Record<string, string>;
      if (parsed.msg === 'listening') {
        const startTime = performance.now() - started;
        child.stdout.resume();
        return new ServerProcess(child, parsed, startTime);
      }
    }
    throw new Error(`${command} ${args.join(' ')} ended before it listened`);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** seconds of processor time so far, in user and kernel mode */
  get cpuSeconds(): number {
    return cpuSecondsOf(this.pid);
  }

  /** MiB: `VmRSS` now, `VmHWM` at most so far */
  memory(field: 'VmRSS' | 'VmHWM' | 'RssFile'): number {
    return memoryOf(this.pid, field);
  }

  /** How often V8 has collected the whole heap so far; 0 where the server has no such metric. */
  async fullCollections(): Promise<number> {
    if (Number.isNaN(this.metricsPort)) return 0;
    const metrics = await (await fetch(`http://127.0.0.1:${this.metricsPort}/metrics`)).text();
    return Number(/^nodejs_gc_duration_seconds_count\{kind="major"\} (\d+)/m.exec(metrics)?.[1] ?? 0);
  }

  /** Deletes payloads that are older than `age`. @throws Error when it fails */
  async cleanup(age: string): Promise<void> {
    const url = `http://127.0.0.1:${this.adminPort}/admin/payload-store/cleanup?age=${age}`;
    const text = await (await fetch(url, { method: 'POST' })).text();
    if (!text.trimEnd().endsWith('{"done":true}')) throw new Error(`cleanup failed: ${text.slice(-200)}`);
  }

  /** @param signal SIGKILL for a gateway, which serves for some seconds more after SIGTERM */
  async stop(signal: 'SIGTERM' | 'SIGKILL' = 'SIGTERM'): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.kill(signal);
    await exited;
  }
}
