import { StorageError } from '../errors/storage-error.ts';

/** What one pass does at most, so that an endless or hostile storage ends it; the next one goes on. */
export interface PassLimits {
  /** names that begin like a window's and are looked at */
  readonly folders: number;
  /** windows that are kept in memory, the earliest ones */
  readonly windows: number;
  /** for the listing of the windows */
  readonly listingTimeMs: number;
  /** Temporal namespaces of one window, which are kept in memory */
  readonly namespaces: number;
  /** pages of one window, of at most 1,000 objects each */
  readonly pages: number;
  readonly windowTimeMs: number;
}

/** A store whose reaper keeps up has at most 550 windows for each TTL that it ever had. */
export const PASS_LIMITS: PassLimits = {
  folders: 100_000,
  windows: 10_000,
  listingTimeMs: 5 * 60_000,
  namespaces: 10_000,
  pages: 10_000,
  windowTimeMs: 60 * 60_000,
};

/** Something is left for the next pass. */
export function beyondLimits(what: string): StorageError {
  return new StorageError('unavailable', `${what} than one pass takes; the next one goes on`);
}
