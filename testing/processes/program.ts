import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createWriteStream, mkdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';

export interface ProgramOptions {
  /** Name in messages. */
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  /** Complete environment; by default that of this process. */
  readonly env?: NodeJS.ProcessEnv | undefined;
  readonly cwd?: string | undefined;
  /** File that standard output and standard error are appended to; without one, standard error is passed on. */
  readonly logFile?: string | undefined;
}

/**
 * A program in a process of its own. It cannot outlive this process, however that ends: the kernel kills it with the thread
 * that started it.
 */
export class Program {
  readonly name: string;
  readonly logFile: string | undefined;
  readonly #child: ChildProcess;
  readonly #exited: Promise<number | null>;

  private constructor(options: ProgramOptions, child: ChildProcess) {
    this.name = options.name;
    this.logFile = options.logFile;
    this.#child = child;
    this.#exited = once(child, 'exit').then(([code]) => code as number | null);
    // `start` reports a missing command.
    this.#exited.catch(() => undefined);
  }

  /**
   * Starts a program and waits for the first line of output for which `ready` returns a value. Standard error counts when
   * there is a log file.
   * @throws Error with the end of its log when it ends before
   */
  static async start<T>(
    options: ProgramOptions,
    ready: (line: string) => T | undefined,
  ): Promise<{ program: Program; greeting: T }> {
    const args = ['--pdeathsig', 'SIGKILL', '--', options.command, ...options.args];
    const child = spawn('setpriv', args, {
      cwd: options.cwd,
      env: options.env ?? process.env,
      stdio: ['ignore', 'pipe', options.logFile === undefined ? 'inherit' : 'pipe'],
    });
    const program = new Program(options, child);
    if (options.logFile !== undefined) appendOutput(child, options.logFile);
    const greeting = await firstMatch(child, ready);
    if (greeting === undefined) {
      throw new Error(`${options.name} ended before it was ready${program.logTail(20)}`);
    }
    for (const stream of [child.stdout, child.stderr]) stream?.resume();
    return { program, greeting };
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Resolves with the exit code, `null` after a signal, once it has ended. */
  get exited(): Promise<number | null> {
    return this.#exited;
  }

  /** Sends the signal and waits for the end; SIGKILL follows when it takes longer than `patienceMs`. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', patienceMs = 10_000): Promise<number | null> {
    if (!this.isRunning) return this.#child.exitCode;
    this.#child.kill(signal);
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), patienceMs);
    const code = await this.#exited;
    clearTimeout(timer);
    return code;
  }

  /** The last lines of its log, as text to append to a message. */
  logTail(lines: number): string {
    if (this.logFile === undefined) return '; its message is above';
    const text = readFileSync(this.logFile, 'utf8').trimEnd().split('\n').slice(-lines).join('\n');
    return `; ${this.logFile} ends with\n${text}`;
  }
}

function appendOutput(child: ChildProcess, file: string): void {
  mkdirSync(dirname(file), { recursive: true });
  const log = createWriteStream(file, { flags: 'a' });
  child.stdout?.pipe(log, { end: false });
  child.stderr?.pipe(log, { end: false });
  child.once('close', () => log.end());
}

/** The first value that `ready` returns for a line; undefined when the program ended before. */
async function firstMatch<T>(
  child: ChildProcess,
  ready: (line: string) => T | undefined,
): Promise<T | undefined> {
  return await new Promise((resolve, reject) => {
    for (const input of [child.stdout, child.stderr]) {
      if (input === null) continue;
      createInterface({ input }).on('line', (line) => {
        const greeting = ready(line);
        if (greeting !== undefined) resolve(greeting);
      });
    }
    child.once('error', reject);
    child.once('close', () => resolve(undefined));
  });
}
