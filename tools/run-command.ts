import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface RunOptions {
  /** Complete environment; by default that of this process. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly cwd?: string | undefined;
  /** Written to its standard input. */
  readonly input?: string | undefined;
  /** Time limit, after which the program is killed; default 2 minutes. */
  readonly limitMs?: number | undefined;
}

/** Runs a program to its end. @returns its standard output @throws Error with its standard error when it fails */
export async function runCommand(
  command: string,
  args: readonly string[],
  { env = process.env, cwd, input, limitMs = 120_000 }: RunOptions = {},
): Promise<string> {
  const options = { env, cwd, timeout: limitMs, killSignal: 'SIGKILL', maxBuffer: 2 ** 27 } as const;
  const running = run(command, args, options);
  // The program may end without reading its input.
  running.child.stdin?.on('error', () => undefined).end(input);
  try {
    return (await running).stdout;
  } catch (error) {
    const { killed, message, stderr } = error as Error & { killed?: boolean; stderr?: string };
    const why = killed ? `not done within ${limitMs / 1_000} s\n${stderr}` : message;
    throw new Error(`${command} ${args.join(' ')}: ${why}`, { cause: error });
  }
}
