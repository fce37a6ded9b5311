import type { Driver } from '../drivers/driver.ts';
import { ServiceError } from '../errors/service-error.ts';
import { isOlderThan } from '../keys/window.ts';
import type { ClockGuard } from '../storage-records/clock/clock-guard.ts';
import type { ClockKeeper } from '../storage-records/clock/clock-keeper.ts';
import type { OwnershipGuard } from '../storage-records/ownership/ownership-guard.ts';
import { countWindow, deleteWindow, type Removed } from './delete-window.ts';
import type { DeletionMetrics } from './deletion-metrics.ts';
import { deletionWaitOf } from './deletion-wait.ts';
import { storedWindows } from './expired-windows.ts';
import { beyondLimits } from './pass-limits.ts';

/** What one window has lost so far, or would lose. */
export interface CleanupProgress extends Removed {
  /** `expires-20261224T000000Z-30d` */
  readonly window: string;
}

export interface CleanupParts {
  readonly driver: Driver;
  readonly clock: ClockGuard;
  readonly clockKeeper: Pick<ClockKeeper, 'refresh'>;
  readonly ownership: OwnershipGuard;
  readonly metrics: DeletionMetrics;
  /** the difference allowed between the clocks of any two processes, ms */
  readonly clockTolerance: number;
}

/**
 * Deletes every window whose youngest object is older than `age` (ms), whether or not its TTL is over; tells the sum
 * of a window after each page of it. What is kept for ever lies in no window and stays. With `dryRun` it only counts.
 * One window that fails does not keep the others.
 * @throws ServiceError `clock_difference`, also while the clock is not confirmed; ForeignStoreError, StorageError
 */
export async function* cleanup(
  { driver, clock, clockKeeper, ownership, metrics, clockTolerance }: CleanupParts,
  { age, dryRun, signal }: { age: number; dryRun: boolean; signal: AbortSignal },
): AsyncGenerator<CleanupProgress> {
  await clock.check();
  await ownership.checkMayDelete(signal);
  const unconfirmed = await clockKeeper.refresh();
  if (unconfirmed !== undefined && !dryRun)
    throw new ServiceError('clock_difference', deletionWaitOf(unconfirmed).message);
  const failures: unknown[] = [];
  const { windows, hasLater, cutOff } = await storedWindows(driver, signal);
  for (const { window, folder } of windows) {
    if (!isOlderThan(window, age, clock.deletionTime, clockTolerance)) continue;
    let objects = 0;
    let bytes = 0;
    try {
      await ownership.assertMayDelete(signal);
      for await (const page of (dryRun ? countWindow : deleteWindow)(driver, folder, signal)) {
        objects += page.objects;
        bytes += page.bytes;
        if (!dryRun) metrics.recordDeleted(page.objects, page.bytes);
        yield { window: folder.slice(0, -1), objects, bytes };
      }
    } catch (error) {
      signal.throwIfAborted();
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
  if (hasLater || cutOff) throw beyondLimits('the storage has more windows');
}
