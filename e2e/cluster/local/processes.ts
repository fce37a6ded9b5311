import { readdirSync, readFileSync, readlinkSync } from 'node:fs';

export interface RunningProcess {
  readonly pid: number;
  readonly args: readonly string[];
}

/** The processes of this machine, without those of the kernel and zombies. */
export function processes(): RunningProcess[] {
  return readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return [];
    try {
      const args = readFileSync(`/proc/${entry}/cmdline`, 'utf8').split('\0').slice(0, -1);
      return args.length > 0 ? [{ pid: Number(entry), args }] : [];
    } catch {
      // It has ended meanwhile.
      return [];
    }
  });
}

/** Names the network namespace of a process; undefined when it has ended. */
export function networkNamespace(pid: number | 'self'): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/net`);
  } catch {
    return undefined;
  }
}

/** This process and its ancestors. */
export function ancestors(): number[] {
  const found = [process.pid];
  for (let pid = process.ppid; pid > 1; pid = parentOf(pid)) found.push(pid);
  return found;
}

function parentOf(pid: number): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/^PPid:\s*(\d+)$/m.exec(status)?.[1] ?? 0);
}

/** Marks the environment of commands that are run in the networks of a cluster's nodes. */
export function clusterMark(folder: string): NodeJS.ProcessEnv {
  return { LARGEPAYLOAD_CLUSTER: folder };
}

/** Whether the process has this mark; false when it has ended. */
export function isMarked(pid: number, folder: string): boolean {
  try {
    const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
    return environment.includes(`LARGEPAYLOAD_CLUSTER=${folder}`);
  } catch {
    return false;
  }
}
