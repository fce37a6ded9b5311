import { Connection } from '@temporalio/client';
import { freePorts } from '../processes/free-port.ts';
import { Program } from '../processes/program.ts';
import { type GoProgram, goProgram } from '../programs/go-program.ts';

// Newer versions replace a module by a folder, which `go install` refuses.
export const TEMPORAL_VERSION = '1.5.1';

const TEMPORAL_CLI: GoProgram = {
  package: 'github.com/temporalio/cli/cmd/temporal',
  version: `v${TEMPORAL_VERSION}`,
  linkerFlags: `-X github.com/temporalio/cli/temporalcli.Version=${TEMPORAL_VERSION}`,
};

/** The path of Temporal's CLI, which contains its development server. @throws MissingProgramError without Go */
export function temporalCli(say: (line: string) => void): Promise<string> {
  return goProgram(TEMPORAL_CLI, say);
}

export interface TemporalServerOptions {
  /** Path of Temporal's CLI. */
  readonly cli: string;
  readonly logFile: string;
  /** IPv4 address at which clients reach it; by default 127.0.0.1, else it listens on all addresses */
  readonly host?: string;
  /** The Web UI, and the codec server that it asks; without it there is none. */
  readonly webUi?: { readonly port: number; readonly codecEndpoint: string };
}

/** Temporal's development server, and its database in memory. */
export class TemporalServer {
  readonly program: Program;
  readonly address: string;

  private constructor(program: Program, address: string) {
    this.program = program;
    this.address = address;
  }

  /** Starts it and waits until its namespace `default` can be used. */
  static async start({ host = '127.0.0.1', ...options }: TemporalServerOptions): Promise<TemporalServer> {
    const [port = 0, httpPort, metricsPort] = await freePorts(3);
    // Its parts call each other by 127.0.0.1, at which they do not listen if it is given another address.
    const listenAt = host === '127.0.0.1' ? host : '0.0.0.0';
    const { program } = await Program.start(
      {
        name: 'temporal server start-dev',
        command: options.cli,
        args: [
          ...['server', 'start-dev', '--ip', listenAt, '--port', `${port}`, '--http-port', `${httpPort}`],
          ...['--metrics-port', `${metricsPort}`, ...webUiOptions(options.webUi)],
        ],
        // The program sends no request outside of this machine.
        env: { ...process.env, TEMPORAL_VERSION_CHECK_DISABLED: '1', TEMPORAL_VERSION_INFO_DISABLED: '1' },
        logFile: options.logFile,
      },
      (line) => line.startsWith('Server:') || undefined,
    );
    const address = `${host}:${port}`;
    await waitForNamespace(address);
    return new TemporalServer(program, address);
  }
}

function webUiOptions(webUi: TemporalServerOptions['webUi']): string[] {
  if (webUi === undefined) return ['--headless'];
  return ['--ui-port', `${webUi.port}`, '--ui-codec-endpoint', webUi.codecEndpoint];
}

async function waitForNamespace(address: string): Promise<void> {
  const connection = await Connection.connect({ address, connectTimeout: 30_000 });
  await connection.workflowService.describeNamespace({ namespace: 'default' });
  await connection.close();
}
