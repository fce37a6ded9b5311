import { StorageError } from '../errors/storage-error.ts';

/**
 * What one pass does at most, so that an endless or hostile storage ends it; the next one goes on. A store whose reaper keeps
 * up has at most 550 windows for each TTL that it ever had.
 */
export const PASS_LIMITS = {
  /** names that begin like a window's and are looked at */
  folders: 100_000,
  /** windows that are kept in memory, the earliest ones */
  windows: 10_000,
  /** for the listing of the windows */
  listingTimeMs: 5 * 60_000,
  /** Temporal namespaces of one window, which are kept in memory */
  namespaces: 10_000,
  /** pages of one window, of at most 1,000 objects each */
  pages: 10_000,
  windowTimeMs: 60 * 60_000,
};

export type PassLimits = Readonly<typeof PASS_LIMITS>;

/** Something is left for the next pass. */
export function beyondLimits(what: string): StorageError {
  return new StorageError('unavailable', `${what} than one pass takes; the next one goes on`);
}
