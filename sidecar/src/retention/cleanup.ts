import { ServiceError } from '../errors/service-error.ts';
import { isOlderThan } from '../keys/window.ts';
import { type SweepParts, sweep, type WindowProgress, waitOfDeletion } from './sweep.ts';

export interface CleanupParts extends SweepParts {
  /** the difference allowed between the clocks of any two processes, ms */
  readonly clockToleranceMs: number;
}

/**
 * Deletes every window whose youngest object is older than `age` (ms), whether or not its TTL is over, and yields the sum of
 * a window after each of its pages. Payloads that are kept for ever lie in no window and stay. With `dryRun` it only counts.
 * A window that fails does not keep the others.
 * @throws ServiceError `clock_difference`, also while the clock is not confirmed; ForeignStoreError, StorageError
 */
export async function* cleanup(
  parts: CleanupParts,
  { age, dryRun, signal }: { age: number; dryRun: boolean; signal: AbortSignal },
): AsyncGenerator<WindowProgress> {
  const wait = await waitOfDeletion(parts, signal);
  if (wait !== undefined && !dryRun) throw new ServiceError('clock_difference', wait.message);
  const { clock, clockToleranceMs } = parts;
  yield* sweep(parts, {
    mayGo: (window) => isOlderThan(window, age, clock.deletionTime, clockToleranceMs),
    byEnd: false,
    ...{ dryRun, signal },
  });
}
