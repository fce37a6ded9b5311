import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventualValue } from '@largepayload/testing/waiting/eventually';
import { runCommand } from '@largepayload/tools/run-command';
import { removeCgroup } from './cgroups.ts';
import { ancestors, isMarked, networkNamespace, processes, type RunningProcess } from './processes.ts';

/** The cgroup of a node. */
export function cgroupOf(folder: string): string {
  return `/${folder.split('/').slice(-2).join('-')}`;
}

/** Ends every process of the nodes below that folder, and removes their cgroups and mounts; not the folder. */
export async function removeNodes(folder: string): Promise<void> {
  await eventualValue(() => {
    const rest = clusterProcesses(folder);
    for (const { pid } of rest) kill(pid);
    return rest.length === 0 || undefined;
  }, 30_000);
  // Mounts of the nodes go with their namespaces. Mounts that a person made by hand must not be emptied.
  for (const path of mountsBelow(folder)) await runCommand('umount', ['--lazy', path]);
  for (const node of nodeFolders(folder)) await removeCgroup(cgroupOf(node));
}

/**
 * The first process of each node, its parent, and the processes that run in their networks or that `Cluster.run` and the
 * like started in a network whose node has ended. This process and its ancestors are left out.
 */
function clusterProcesses(folder: string): RunningProcess[] {
  const all = processes();
  const own = new Set(ancestors());
  const firsts = all.filter(({ args }) => isFirstProcess(args, folder));
  const here = networkNamespace('self');
  const networks = new Set(firsts.map(({ pid }) => networkNamespace(pid)).filter((name) => name !== here));
  const isPart = (found: RunningProcess) => {
    const network = networkNamespace(found.pid);
    if (network === undefined || own.has(found.pid)) return false;
    return networks.has(network) || (network !== here && isMarked(found.pid, folder));
  };
  return all.filter((found) => firsts.includes(found) || isPart(found));
}

/** Whether the process is `unshare`, or the first process of the node that `unshare` became. */
function isFirstProcess(args: readonly string[], folder: string): boolean {
  const [program = ''] = args;
  return ['unshare', 'bash'].includes(program) && nodeFolderPattern(folder).test(args.at(-1) ?? '');
}

function nodeFolderPattern(folder: string): RegExp {
  return new RegExp(`^${folder}/node\\d$`);
}

function nodeFolders(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .map((name) => join(folder, name))
    .filter((path) => nodeFolderPattern(folder).test(path));
}

/** Deepest first. */
function mountsBelow(folder: string): string[] {
  return readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((path) => path.startsWith(`${folder}/`))
    .toSorted()
    .toReversed();
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}
