import { globSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename } from 'node:path';
import { stateFolder } from './state-folder.ts';

/** Settings of the machine that a kubelet would change if it could. */
const SETTINGS = ['vm/overcommit_memory', 'kernel/panic', 'kernel/panic_on_oops'];

interface SeenProcess {
  readonly pid: number;
  readonly parent: number;
  /** Together with the process id, the start time names one process uniquely. */
  readonly startTime: string;
  readonly command: string;
  readonly network: string;
}

/**
 * The processes, networks and mounts of a cluster on this machine, noted while it is up, so that tests can find leftovers
 * afterwards. It finds them by other means than the code that removes a cluster.
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
    // Programs, shims and containers of the cluster descend from these processes.
    for (const one of found) for (const child of all) if (child.parent === one.pid) found.add(child);
    this.processes = [...found].filter(({ pid }) => pid !== process.pid);
    const own = readlinkSync('/proc/self/ns/net');
    this.#networks = new Set(this.processes.map(({ network }) => network).filter((name) => name !== own));
  }

  /** Processes, networks, mounts, cgroups, files and settings of the machine that are not as before. */
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

/** Zombies are left out. */
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
