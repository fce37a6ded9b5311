import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** The built program, started as a user starts it. */
export class RunningService {
  readonly #process: ChildProcess;
  readonly url: string;
  readonly metricsUrl: string;

  private constructor(child: ChildProcess, addresses: { data: string; metrics: string }) {
    this.#process = child;
    this.url = `http://${addresses.data}`;
    this.metricsUrl = `http://${addresses.metrics}/metrics`;
  }

  /** Starts it and waits for its line `{"msg":"listening",…}`. @throws Error when it ends before */
  static async start(program: string, args: readonly string[]): Promise<RunningService> {
    const child = spawn(process.execPath, [program, 'serve', ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    // Should this process fail, the service must not stay behind.
    process.once('exit', () => child.kill());
    for await (const line of createInterface({ input: child.stdout })) {
      const message = JSON.parse(line) as { msg: string; data: string; metrics: string };
      if (message.msg !== 'listening') continue;
      child.stdout.resume();
      return new RunningService(child, message);
    }
    throw new Error('the service ended before it listened; its message is above');
  }

  /** The counters of `/metrics` whose names begin with `payload_store_`, by name and labels. */
  async counters(): Promise<Map<string, number>> {
    const text = await (await fetch(this.metricsUrl)).text();
    const lines = text.split('\n').filter((line) => /^payload_store_.*_total/.test(line));
    return new Map(
      lines.map((line) => {
        const space = line.lastIndexOf(' ');
        return [line.slice(0, space), Number(line.slice(space + 1))] as const;
      }),
    );
  }

  /** The exit code after SIGTERM. */
  async stop(): Promise<number | null> {
    const exited = once(this.#process, 'exit');
    this.#process.kill('SIGTERM');
    const [code] = (await exited) as [number | null];
    return code;
  }
}
