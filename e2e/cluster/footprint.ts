import { globSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { stateFolder } from './state-folder.ts';

/** Of the machine, and written by a kubelet that is not kept from it. */
const SETTINGS = ['vm/overcommit_memory', 'kernel/panic', 'kernel/panic_on_oops'];

interface SeenProcess {
  readonly pid: number;
  readonly parent: number;
  /** With the process id, it names one process for ever. */
  readonly startTime: string;
  readonly command: string;
  readonly network: string;
}

/**
 * What a cluster of processes on this machine takes of it, noted while it is up so that what is left can be told
 * afterwards. It looks by other ways than those by which the cluster is removed.
 */
export class Footprint {
  readonly #folder: string;
  readonly #machine: string;
  readonly processes: readonly SeenProcess[];
  readonly #networks: ReadonlySet<string>;

  /** @param before `machineState` of before it was made */
  constructor(name: string, before = machineState()) {
    this.#machine = before;
    this.#folder = stateFolder(name);
    const all = seenProcesses();
    const found = new Set(all.filter(({ command }) => command.includes(`${this.#folder}/`)));
    // Its programs, shims and containers descend from those.
    for (const one of found) for (const child of all) if (child.parent === one.pid) found.add(child);
    this.processes = [...found].filter(({ pid }) => pid !== process.pid);
    const own = readlinkSync('/proc/self/ns/net');
    this.#networks = new Set(this.processes.map(({ network }) => network).filter((name) => name !== own));
  }

  /** Processes, networks, mounts, cgroups, files and settings of the machine that are not as before: none, it is hoped. */
  remains(): string[] {
    const seen = new Set(this.processes.map(({ pid, startTime }) => `${pid} ${startTime}`));
    const processes = seenProcesses().filter(
      ({ pid, startTime, network }) => seen.has(`${pid} ${startTime}`) || this.#networks.has(network),
    );
    const mounts = readFileSync('/proc/self/mountinfo', 'utf8').split('\n');
    const now = machineState();
    return [
      ...processes.map(({ pid, command }) => `process ${pid}: ${command}`),
      ...mounts.filter((line) => line.includes(`${this.#folder}/`)),
      ...globSync(`/sys/fs/cgroup/{,*/}${basename(this.#folder)}-node*`),
      ...globSync(this.#folder),
      ...(now === this.#machine ? [] : [`was ${this.#machine}, is ${now}`]),
    ];
  }
}

/** Settings and network interfaces. */
export function machineState(): string {
  const settings = SETTINGS.map(
    (setting) => `${setting}=${readFileSync(`/proc/sys/${setting}`, 'utf8').trim()}`,
  );
  return [...settings, ...readdirSync('/sys/class/net')].join(' ');
}

/** Those that have ended and are not waited for are left out. */
function seenProcesses(): SeenProcess[] {
  return readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return [];
    try {
      // After the name, which may hold spaces: state, parent, …, start time.
      const fields = readFileSync(`/proc/${entry}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ');
      if (fields[0] === 'Z') return [];
      const command = readFileSync(`/proc/${entry}/cmdline`, 'utf8').replaceAll('\0', ' ');
      const network = readlinkSync(`/proc/${entry}/ns/net`);
      return [
        { pid: Number(entry), parent: Number(fields[1]), startTime: fields[19] ?? '', command, network },
      ];
    } catch {
      return [];
    }
  });
}
