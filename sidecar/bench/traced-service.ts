import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { cpuSecondsOf, memoryOf } from '@largepayload/testing/processes/process-facts';

/** A service in a process of its own, which reports the collections of V8 (`--trace-gc`). */
export class TracedService {
  readonly name: string;
  readonly #child: ChildProcess;
  readonly #ports = { data: 0, admin: 0 };
  /** of the whole heap, so far */
  collections = 0;
  /** of the young generation, so far */
  scavenges = 0;

  private constructor(name: string, child: ChildProcess) {
    this.name = name;
    this.#child = child;
  }

  /** Starts Node with these arguments, and waits for its line `{"msg":"listening",…}`. */
  static async start(name: string, args: readonly string[]): Promise<TracedService> {
    const child = spawn(process.execPath, ['--trace-gc', ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
    const service = new TracedService(name, child);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    child.once('exit', () => reject(new Error(`${name} ended before it listened`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      if (line.includes(' Mark-Compact ')) service.collections += 1;
      if (line.includes(' Scavenge ')) service.scavenges += 1;
      if (!line.startsWith('{')) return;
      const parsed = JSON.parse(line) as Record<string, string>;
      if (parsed.msg !== 'listening') return;
      const portOf = (address = '') => Number(address.split(':').at(-1));
      Object.assign(service.#ports, { data: portOf(parsed.data), admin: portOf(parsed.admin) });
      resolve();
    });
    await promise;
    return service;
  }

  get port(): number {
    return this.#ports.data;
  }

  /** seconds of processor time so far, in user and kernel mode */
  get cpuSeconds(): number {
    return cpuSecondsOf(this.#child.pid);
  }

  /** MiB, the most so far */
  get peakMemory(): number {
    return Math.round(memoryOf(this.#child.pid, 'VmHWM'));
  }

  /** Deletes payloads that are older than `age`. @throws Error when it fails */
  async cleanup(age: string): Promise<void> {
    const url = `http://127.0.0.1:${this.#ports.admin}/admin/payload-store/cleanup?age=${age}`;
    const text = await (await fetch(url, { method: 'POST' })).text();
    if (!text.trimEnd().endsWith('{"done":true}')) throw new Error(`cleanup failed: ${text.slice(-200)}`);
  }

  async stop(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.kill('SIGTERM');
    await exited;
  }
}
