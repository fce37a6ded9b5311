import { parseJsonLine } from '../processes/json-line.ts';
import { Program } from '../processes/program.ts';
import { MetricsReading } from '../servers/metrics-reading.ts';

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

  /** What `/metrics` has now. */
  async metrics(): Promise<MetricsReading> {
    return new MetricsReading(await (await fetch(this.metricsUrl)).text());
  }

  /** The current value in `/metrics` of a series, or the sum of all series of that name. */
  async sum(series: string): Promise<number> {
    return (await this.metrics()).sum(series);
  }

  /** Sends SIGTERM. @returns the exit code */
  async stop(): Promise<number | null> {
    return await this.program.stop();
  }
}
