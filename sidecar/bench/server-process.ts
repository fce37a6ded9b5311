import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

const TICKS_PER_SECOND = 100;

/** A server in a process of its own, whose processor time and memory can be told from the load generator's. */
export class ServerProcess {
  readonly #child: ChildProcess;
  readonly port: number;
  readonly adminPort: number;
  /** ms from the start of the process until it listened */
  readonly startTime: number;

  private constructor(child: ChildProcess, listening: Record<string, string>, startTime: number) {
    this.#child = child;
    this.port = Number(listening.data?.split(':').at(-1));
    this.adminPort = Number(listening.admin?.split(':').at(-1));
    this.startTime = startTime;
  }

  /** Starts Node with these arguments and waits for its line `{"msg":"listening",…}`. */
  static async start(...args: string[]): Promise<ServerProcess> {
    const started = performance.now();
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    for await (const line of createInterface({ input: child.stdout })) {
      const parsed = JSON.parse(line) as Record<string, string>;
      if (parsed.msg === 'listening') {
        const startTime = performance.now() - started;
        child.stdout.resume();
        return new ServerProcess(child, parsed, startTime);
      }
    }
    throw new Error(`${args.join(' ')} ended before it listened`);
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** seconds of processor time so far, in user and kernel mode */
  get cpuSeconds(): number {
    const stat = readFileSync(`/proc/${this.#child.pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_SECOND;
  }

  /** MiB: `VmRSS` now, `VmHWM` at most so far */
  memory(field: 'VmRSS' | 'VmHWM'): number {
    const status = readFileSync(`/proc/${this.#child.pid}/status`, 'utf8');
    return Number(new RegExp(`${field}:\\s+([0-9]+) kB`).exec(status)?.[1]) / 1_024;
  }

  /** Deletes payloads that are older than `age`. @throws Error when it fails */
  async cleanup(age: string): Promise<void> {
    const url = `http://127.0.0.1:${this.adminPort}/admin/payload-store/cleanup?age=${age}`;
    const text = await (await fetch(url, { method: 'POST' })).text();
    if (!text.trimEnd().endsWith('{"done":true}')) throw new Error(`cleanup failed: ${text.slice(-200)}`);
  }

  async stop(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await exited;
  }
}
