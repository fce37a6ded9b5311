import { once } from 'node:events';
import { existsSync, lstatSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { ProviderName } from './provider.ts';

/** What later commands have to know about a cluster that is up, or was up before a crash. */
export interface ClusterState {
  readonly provider: ProviderName;
  readonly nodes: 1 | 2;
  /** Its version, where the provider chose one. */
  readonly kubernetes?: string | undefined;
}

/** Independent of TMPDIR, so that every shell finds it. @throws RangeError */
export function stateFolder(name: string): string {
  // The path is short because sockets lie below it, whose paths have at most 107 characters.
  if (!/^[a-z0-9]([a-z0-9-]{0,22}[a-z0-9])?$/.test(name)) {
    throw new RangeError(
      `"${name}": the name of a cluster has up to 24 lower-case letters, digits and dashes`,
    );
  }
  return join('/tmp', `largepayload-cluster-${name}`);
}

/** Makes the folder of a cluster that is about to start. @throws Error when another user owns it */
export function writeState(name: string, state: ClusterState): string {
  const folder = stateFolder(name);
  if (!existsSync(folder)) mkdirSync(folder, { mode: 0o755 });
  const found = lstatSync(folder);
  if (!found.isDirectory() || found.uid !== process.getuid?.()) {
    throw new Error(`${folder} belongs to another user, or is no folder; remove it, or choose another name`);
  }
  writeFileSync(join(folder, 'cluster.json'), `${JSON.stringify(state)}\n`);
  return folder;
}

export function readState(name: string): ClusterState | undefined {
  try {
    return JSON.parse(readFileSync(join(stateFolder(name), 'cluster.json'), 'utf8')) as ClusterState;
  } catch {
    // The file is missing, or a crash left a part of it.
    return undefined;
  }
}

export function removeState(name: string): void {
  rmSync(stateFolder(name), { recursive: true, force: true });
}

/**
 * Waits until no other process of this machine is at work on the cluster of that name, then runs `action`. The lock is
 * a socket without a file, which goes with the process, however that ends.
 */
export async function exclusively<T>(
  name: string,
  say: (line: string) => void,
  action: () => Promise<T>,
): Promise<T> {
  let lock = await tryLock(name);
  if (lock === undefined) say(`another command is at work on cluster ${name}; waiting for it`);
  for (; lock === undefined; lock = await tryLock(name)) await sleep(200);
  try {
    return await action();
  } finally {
    lock.close();
  }
}

async function tryLock(name: string) {
  const server = createServer().listen({ path: `\0${stateFolder(name)}` });
  try {
    await once(server, 'listening');
    return server;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') return undefined;
    throw error;
  }
}
