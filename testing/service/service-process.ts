import { parseJsonLine } from '../processes/json-line.ts';
import { Program } from '../processes/program.ts';

interface Listening {
  readonly msg: 'listening';
  readonly data: string;
  readonly metrics: string;
}

/** `payload-store serve`, as `make build` built it, in a process of its own. */
export class RunningService {
  readonly program: Program;
  readonly url: string;
  readonly metricsUrl: string;

  private constructor(program: Program, addresses: Listening) {
    this.program = program;
    this.url = `http://${addresses.data}`;
    this.metricsUrl = `http://${addresses.metrics}/metrics`;
  }

  /** Starts the program and waits until it logs `{"msg":"listening",…}`. @throws Error when it ends before */
  static async start(file: string, args: readonly string[], logFile?: string): Promise<RunningService> {
    const { program, greeting } = await Program.start(
      { name: 'payload-store serve', command: process.execPath, args: [file, 'serve', ...args], logFile },
      (line) => parseJsonLine<Listening>(line, 'listening'),
    );
    return new RunningService(program, greeting);
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

  /** The current value in `/metrics` of a series, or the sum of all series of that name. */
  async sum(series: string): Promise<number> {
    const text = await (await fetch(this.metricsUrl)).text();
    return text
      .split('\n')
      .filter((line) => line.startsWith(`${series} `) || line.startsWith(`${series}{`))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
  }

  /** Sends SIGTERM. @returns the exit code */
  async stop(): Promise<number | null> {
    return await this.program.stop();
  }
}
