import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

/** The folder for programs that take minutes to build. It outlives a checkout. */
export function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'largepayload');
}

/** Moves a folder to its place in the cache. When another process was faster, its folder stays, since it holds the same. */
export function moveIntoCache(unfinished: string, folder: string): void {
  try {
    renameSync(unfinished, folder);
  } catch (error) {
    if (!existsSync(folder)) throw error;
  }
}

/** Lets `make` fill a temporary folder, then moves it to its place in the cache. */
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
