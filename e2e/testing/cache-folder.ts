import { homedir } from 'node:os';
import { join } from 'node:path';

/** Where what takes minutes to build outlives a checkout. */
export function cacheFolder(): string {
  return join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'largepayload');
}
