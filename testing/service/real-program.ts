import { type ChildProcess, type ChildProcessByStdio, execFile, spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable, Writable } from 'node:stream';
import { promisify } from 'node:util';
import type { RoleName } from '@largepayload/sidecar/roles/role';
import { afterAll, beforeAll, inject } from 'vitest';
import { within } from '../waiting/eventually.ts';
import { manifestText, type ServiceOptions, temporaryFolder } from './running-service.ts';

const START_LIMIT = 90_000;
const EXIT_LIMIT = 45_000;
const ANY_DATA_PORT = ['--listen', '127.0.0.1:0'];
const ANY_SIDECAR_PORTS = [...ANY_DATA_PORT, '--metrics-listen', '127.0.0.1:0'];
const ANY_OTHER_PORTS = ['--metrics-listen', '127.0.0.1:0', '--admin-listen', '127.0.0.1:0'];

export interface Outcome {
  readonly code: number | null;
  readonly stdout: Buffer;
  readonly stderr: string;
}

export interface ServeOptions extends ServiceOptions {
  /** default: standalone */
  readonly role?: RoleName;
  /** `undefined`: the manifest names storage that is no folder */
  readonly dataFolder?: string;
  /** manifest to use; by default the other options make one */
  readonly manifest?: string;
  /** options of the ports; by default free ports of loopback */
  readonly ports?: readonly string[];
  /** further arguments */
  readonly args?: readonly string[];
  /** options of node itself */
  readonly nodeOptions?: readonly string[];
  /** prefix of the command */
  readonly wrapper?: readonly string[];
}

export type SidecarProcessOptions = Pick<ServeOptions, 'args' | 'nodeOptions' | 'ports' | 'wrapper'>;

/** A `payload-store serve` or `sidecar` that listens. It is killed at the end of an `await using` scope. */
export interface ServingProcess extends AsyncDisposable {
  /** `HOST:PORT`; empty where the role has no data port. A sidecar has no admin port. */
  readonly data: string;
  readonly metrics: string;
  readonly admin: string;
  readonly process: ChildProcessByStdio<null, Readable, Readable>;
  /** the lines logged so far */
  readonly log: readonly Record<string, unknown>[];
  /** the exit code; `undefined`: ended by a signal */
  readonly exited: Promise<number | undefined>;
}

/** The program as it is shipped. */
export function realProgram() {
  const program = () => join(inject('programFolder'), 'program/payload-store.mjs');
  let folder = '';
  beforeAll(async () => {
    folder = await temporaryFolder();
    await buildOnce(inject('programFolder'));
  });
  afterAll(() => rm(folder, { recursive: true, force: true }));

  const run = async (args: readonly string[], input: Buffer | string = '', env = {}): Promise<Outcome> => {
    const child = spawn(process.execPath, [program(), ...args], { env: { ...process.env, ...env } });
    feed(child.stdin, input);
    const [stdout, stderr] = [collect(child.stdout), collect(child.stderr)];
    const code = await within(EXIT_LIMIT, `the end of payload-store ${args[0]}`, exitOf(child));
    return { code: code ?? null, stdout: await stdout, stderr: (await stderr).toString() };
  };

  /** Makes a folder, which is removed after the tests. */
  const newFolder = async (name: string): Promise<string> => {
    const path = join(folder, name);
    await mkdir(path, { recursive: true });
    return path;
  };

  const configFile = async (content: string): Promise<string> => {
    const file = join(await newFolder('configurations'), `${crypto.randomUUID()}.yaml`);
    await writeFile(file, content);
    return file;
  };

  const serve = async (options: ServeOptions): Promise<ServingProcess> => {
    const { dataFolder, manifest = manifestText(options), nodeOptions = [], wrapper = [] } = options;
    const { role = 'standalone' } = options;
    const place = dataFolder === undefined ? [] : ['--data-dir', dataFolder];
    const args = [
      ...['serve', '--config', await configFile(manifest), ...place, '--role', role],
      ...(options.ports ?? [...(role === 'reaper' ? [] : ANY_DATA_PORT), ...ANY_OTHER_PORTS]),
      ...(options.args ?? []),
    ];
    const [command = '', ...rest] = [...wrapper, process.execPath, ...nodeOptions, program(), ...args];
    return await listening(spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'] }));
  };

  /** A `payload-store sidecar` before the gateway of this URL. */
  const sidecar = async (
    gatewayUrl: string,
    { args = [], nodeOptions = [], ports = ANY_SIDECAR_PORTS, wrapper = [] }: SidecarProcessOptions = {},
  ): Promise<ServingProcess> => {
    const options = [...ports, ...args];
    const [command = '', ...rest] = [
      ...[...wrapper, process.execPath, ...nodeOptions, program()],
      ...['sidecar', '--gateway-url', gatewayUrl, ...options],
    ];
    return await listening(spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'] }));
  };

  return { run, serve, sidecar, configFile, newFolder };
}

/** Builds the program into a folder of this name, unless a file of this run has done it. */
async function buildOnce(folder: string): Promise<void> {
  const built = join(folder, 'program');
  if (existsSync(built)) return;
  const attempt = join(folder, crypto.randomUUID());
  const build = join(import.meta.dirname, '../../sidecar/build.ts');
  await promisify(execFile)(process.execPath, [build, attempt]);
  await rename(attempt, built).catch((error) => {
    // Another file of the run was faster.
    if (!existsSync(built)) throw error;
  });
}

async function listening(child: ChildProcessByStdio<null, Readable, Readable>): Promise<ServingProcess> {
  const log: Record<string, unknown>[] = [];
  const exited = exitOf(child);
  const stderr = collect(child.stderr);
  const addresses = new Promise<{ data?: string; metrics: string; admin?: string }>((resolve, reject) => {
    let rest = '';
    child.stdout.on('data', (chunk) => {
      const lines = (rest + chunk).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines.map((text) => JSON.parse(text))) {
        log.push(line);
        if (line.msg === 'listening') resolve(line);
      }
    });
    exited.then(async (code) => reject(new Error(`serve ended with ${code}: ${await stderr}`)), reject);
  });
  const { data = '', metrics, admin = '' } = await within(START_LIMIT, 'the line "listening"', addresses);
  return {
    ...{ data, metrics, admin, process: child, log, exited },
    async [Symbol.asyncDispose]() {
      child.kill('SIGKILL');
      await exited;
    },
  };
}

function exitOf(child: ChildProcess): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve(code ?? undefined));
  });
}

/** Writes the input. Errors are ignored: a program that refuses its arguments does not read it. */
function feed(stdin: Writable, input: Buffer | string): void {
  stdin.on('error', () => {});
  stdin.end(input);
}

async function collect(stream: Readable): Promise<Buffer> {
  return Buffer.concat(await stream.toArray());
}
