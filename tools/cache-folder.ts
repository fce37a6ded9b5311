import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where what takes minutes to build outlives a checkout. */
export function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'largepayload');
}

/** Gives what was made its place. Who makes it at the same time makes the same: the first one's stays. */
export function moveIntoCache(unfinished: string, folder: string): void {
  try {
    renameSync(unfinished, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
  }
}

/** Lets `make` fill a folder, which gets its place in the cache when it is complete. */
export async function makeInCache(
  folder: string,
  make: (unfinished: string) => Promise<void>,
): Promise<void> {
  mkdirSync(cacheFolder(), { recursive: true });
  const unfinished = mkdtempSync(`${folder}.building-`);
  try {
    await make(unfinished);
    moveIntoCache(unfinished, folder);
  } finally {
    rmSync(unfinished, { recursive: true, force: true });
  }
}
