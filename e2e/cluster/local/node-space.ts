import { spawn, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { eventualValue } from '@largepayload/testing/waiting/eventually';
import { runCommand } from '@largepayload/tools/run-command';
import { processes } from './processes.ts';

/** Folders that each node has for itself. Their content goes with the node. */
export const OWN_FOLDERS = ['/var/lib', '/var/log', '/run'];
/** Settings of the machine that the kubelet would write. */
const MACHINE_SETTINGS = [
  'vm/overcommit_memory',
  'vm/panic_on_oom',
  'kernel/panic',
  'kernel/panic_on_oops',
  'kernel/keys/root_maxkeys',
  'kernel/keys/root_maxbytes',
];

/** Lines of a shell. $0 is the node's folder. */
export const BIND_OWN_FOLDERS = `
for folder in ${OWN_FOLDERS.join(' ')}; do
  mkdir -p "$0/root$folder"
  mount --bind "$0/root$folder" "$folder"
done
`;

/** The first process of a node. When it ends, all others of the node end. $0 is the node's folder. */
const INIT = `
set -e
mount --make-rshared /
${BIND_OWN_FOLDERS}
for setting in ${MACHINE_SETTINGS.join(' ')}; do
  [ -e "/proc/sys/$setting" ] || continue
  mkdir -p "$0/settings/$setting"
  cat "/proc/sys/$setting" > "$0/settings/$setting/value"
  mount --bind "$0/settings/$setting/value" "/proc/sys/$setting"
done
ip link set lo up
touch "$0/ready"
# It outlives a loss of power, which kills the process that it waits for.
while :; do sleep infinity & wait; done
`;

/**
 * Namespaces of processes, mounts and network, in which one node lives. The kernel ends all of its processes with the
 * first one, and with them its mounts and its network are gone: nothing can be left of it but files and cgroups.
 */
export class NodeSpace {
  readonly name: string;
  readonly folder: string;
  /** The id in this process's namespace. */
  readonly initPid: number;

  private constructor(folder: string, initPid: number) {
    this.name = basename(folder);
    this.folder = folder;
    this.initPid = initPid;
  }

  /** @throws Error when this process may not do that */
  static async start(folder: string): Promise<NodeSpace> {
    mkdirSync(join(folder, 'logs'), { recursive: true });
    const namespaces = ['--fork', '--pid', '--mount', '--net', '--mount-proc', '--kill-child'];
    const logFile = join(folder, 'logs', 'node.log');
    const log = openSync(logFile, 'a');
    const child = spawn('unshare', [...namespaces, 'bash', '-c', INIT, folder], {
      cwd: '/',
      env: PLAIN_ENVIRONMENT,
      stdio: ['ignore', log, log],
      detached: true,
    });
    child.unref();
    closeSync(log);
    await eventualValue(() => {
      if (child.exitCode === null) return existsSync(join(folder, 'ready')) || undefined;
      throw new Error(`a node's namespaces cannot be made: ${readFileSync(logFile, 'utf8')}`);
    }, 10_000);
    const space = NodeSpace.find(folder);
    if (space === undefined) throw new Error(`the first process of ${folder} has ended`);
    return space;
  }

  static find(folder: string): NodeSpace | undefined {
    const init = processes().find(({ args }) => args[0] === 'bash' && args.at(-1) === folder);
    return init && new NodeSpace(folder, init.pid);
  }

  /** Prefix of a command that runs in the node's network only. */
  get networkPrefix(): string[] {
    return ['nsenter', `--net=/proc/${this.initPid}/ns/net`];
  }

  /** Prefix of a command that runs on the node. */
  get #prefix(): string[] {
    return ['--target', `${this.initPid}`, '--pid', '--mount', '--net', '--'];
  }

  /** Runs a command on the node, and waits for its end. */
  async run(program: string, ...args: string[]): Promise<string> {
    return await runCommand('nsenter', [...this.#prefix, program, ...args], { env: PLAIN_ENVIRONMENT });
  }

  /** Starts a program that stays when this process ends; its output goes to a file. */
  startDaemon(name: string, program: string, args: readonly string[]): void {
    const script = 'echo $$ >"$0"; exec >>"$1" 2>&1 </dev/null; shift; exec "$@"';
    const detached = ['setsid', '--fork', 'bash', '-c', script, this.#pidFile(name), this.#logFile(name)];
    const { status } = spawnSync('nsenter', [...this.#prefix, ...detached, program, ...args], {
      env: PLAIN_ENVIRONMENT,
      stdio: 'ignore',
    });
    if (status !== 0) throw new Error(`${name} cannot be started on ${this.name}`);
  }

  /** Sends SIGTERM, and SIGKILL after `patienceMs`. */
  async stopDaemon(name: string, patienceMs = 10_000): Promise<void> {
    // The process id is one of the node's namespace.
    const pid = readFileSync(this.#pidFile(name), 'utf8').trim();
    const script =
      'kill "$0"; for _ in $(seq "$1"); do kill -0 "$0" || exit 0; sleep 0.1; done; kill -9 "$0"; sleep 0.1';
    await this.run('bash', '-c', `${script}`, pid, `${patienceMs / 100}`);
    rmSync(this.#pidFile(name));
  }

  /** Waits until `check` no longer throws. @throws Error with the end of the daemon's log after a minute */
  async ready(daemon: string, check: () => Promise<void>): Promise<void> {
    let lastError: unknown;
    const attempt = async () => {
      try {
        await check();
        return true;
      } catch (error) {
        lastError = error;
        return undefined;
      }
    };
    await eventualValue(attempt, 60_000).catch(() => {
      const log = readFileSync(this.#logFile(daemon), 'utf8').trimEnd().split('\n').slice(-20).join('\n');
      const message = `${daemon} was not ready within 60 s; ${this.#logFile(daemon)} ends with\n${log}`;
      throw new Error(message, { cause: lastError });
    });
  }

  #logFile(name: string): string {
    return join(this.folder, 'logs', `${name}.log`);
  }

  #pidFile(name: string): string {
    return join(this.folder, 'logs', `${name}.pid`);
  }
}

/** An environment without the user's proxy and settings. */
const PLAIN_ENVIRONMENT = {
  PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
  HOME: '/root',
};
