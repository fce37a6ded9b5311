import { Connection } from '@temporalio/client';
import { freePorts } from '../processes/free-port.ts';
import { Program } from '../processes/program.ts';
import { type GoProgram, goProgram } from '../programs/go-program.ts';

const TEMPORAL_CLI: GoProgram = {
  package: 'github.com/temporalio/cli/cmd/temporal',
  // Newer versions replace a module by a folder, which `go install` refuses.
  version: 'v1.5.1',
  linkerFlags: '-X github.com/temporalio/cli/temporalcli.Version=1.5.1',
};

/** The path of Temporal's CLI, which contains its development server. @throws MissingProgramError without Go */
export function temporalCli(say: (line: string) => void): Promise<string> {
  return goProgram(TEMPORAL_CLI, say);
}

export interface TemporalServerOptions {
  /** Path of Temporal's CLI. */
  readonly cli: string;
  readonly logFile: string;
  /** Codec server that the Web UI asks. */
  readonly codecEndpoint: string;
  readonly uiPort: number;
}

/** Temporal's development server with the Web UI, and its database in memory. */
export class TemporalServer {
  readonly program: Program;
  readonly address: string;

  private constructor(program: Program, address: string) {
    this.program = program;
    this.address = address;
  }

  /** Starts it and waits until its namespace `default` can be used. */
  static async start(options: TemporalServerOptions): Promise<TemporalServer> {
    const [port = 0, httpPort, metricsPort] = await freePorts(3);
    const { program } = await Program.start(
      {
        name: 'temporal server start-dev',
        command: options.cli,
        args: [
          ...['server', 'start-dev', '--ip', '127.0.0.1', '--port', `${port}`, '--http-port', `${httpPort}`],
          ...['--metrics-port', `${metricsPort}`, '--ui-port', `${options.uiPort}`],
          ...['--ui-codec-endpoint', options.codecEndpoint],
        ],
        // The program sends no request outside of this machine.
        env: { ...process.env, TEMPORAL_VERSION_CHECK_DISABLED: '1', TEMPORAL_VERSION_INFO_DISABLED: '1' },
        logFile: options.logFile,
      },
      (line) => line.startsWith('Server:') || undefined,
    );
    const address = `127.0.0.1:${port}`;
    await waitForNamespace(address);
    return new TemporalServer(program, address);
  }
}

async function waitForNamespace(address: string): Promise<void> {
  const connection = await Connection.connect({ address, connectTimeout: 30_000 });
  await connection.workflowService.describeNamespace({ namespace: 'default' });
  await connection.close();
}
