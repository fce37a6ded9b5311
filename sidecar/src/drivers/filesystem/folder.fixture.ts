import { mkdtempSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { readdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { StartedStore } from '../conformance/subject.ts';
import { FilesystemDriver } from './filesystem-driver.ts';
import { objectPath } from './object-paths.ts';
import { OWN_FOLDER } from './temporary-files.ts';

/** A new empty folder for one test, which removes it. */
export function newFolder(parent = tmpdir()): string {
  return mkdtempSync(join(parent, 'payload-store-test-'));
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true });
}

/** A driver on a folder of its own, which goes when it is stopped. */
export async function startInFolder(): Promise<StartedStore & { driver: FilesystemDriver; folder: string }> {
  const folder = newFolder();
  const driver = await FilesystemDriver.start(folder);
  return {
    driver,
    folder,
    damage: (name, bytes) => writeFile(objectPath(folder, name), bytes),
    leftovers: () => temporaryFiles(folder),
    openResources: async () => openFilesBelow(folder),
    stop: async () => {
      await driver.close();
      removeFolder(folder);
    },
  };
}

/** Temporary files of all processes that use the folder, without their folders. */
export async function temporaryFiles(folder: string): Promise<string[]> {
  const entries = await readdir(join(folder, OWN_FOLDER), { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}

/** Files and folders below it that this process holds open (proc(5)). */
function openFilesBelow(folder: string): number {
  return readdirSync('/proc/self/fd').filter((descriptor) => {
    try {
      return readlinkSync(`/proc/self/fd/${descriptor}`).startsWith(`${folder}/`);
    } catch {
      return false;
    }
  }).length;
}
