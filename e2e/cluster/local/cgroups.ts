import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { eventualValue } from '@largepayload/testing/waiting/eventually';

/** The folders of this machine's cgroup hierarchies: several of version 1, or one of version 2. */
function hierarchies(): string[] {
  return readFileSync('/proc/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' '))
    .filter(([, , type]) => type === 'cgroup' || type === 'cgroup2')
    .map(([, path]) => path as string);
}

/** Makes a cgroup in every hierarchy, for a kubelet to put its pods under. */
export function makeCgroup(name: string): void {
  for (const hierarchy of hierarchies()) {
    passControllersOn(hierarchy);
    mkdirSync(join(hierarchy, name), { recursive: true });
  }
}

/** In version 2 a cgroup has only the controllers that its parent passes on. The kubelet needs all of them. */
function passControllersOn(hierarchy: string): void {
  const available = join(hierarchy, 'cgroup.controllers');
  if (!existsSync(available)) return;
  for (const controller of readFileSync(available, 'utf8').trim().split(' ').filter(Boolean)) {
    writeFileSync(join(hierarchy, 'cgroup.subtree_control'), `+${controller}`);
  }
}

/** Removes the cgroup and all below. Its processes are already killed, but the kernel takes a moment to release it. */
export async function removeCgroup(name: string): Promise<void> {
  for (const hierarchy of hierarchies()) {
    await eventualValue(() => removeTree(join(hierarchy, name)), 20_000);
  }
}

/** True when the cgroup has gone; undefined while the kernel still uses it. */
function removeTree(folder: string): true | undefined {
  if (!existsSync(folder)) return true;
  const children = readdirSync(folder, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  for (const child of children) removeTree(join(folder, child.name));
  try {
    rmdirSync(folder);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EBUSY') return undefined;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return true;
    throw error;
  }
}
