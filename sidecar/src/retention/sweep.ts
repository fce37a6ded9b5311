import type { Driver } from '../drivers/driver.ts';
import { type ExpiryWindow, windowName } from '../keys/window.ts';
import type { ClockGuard } from '../storage-records/clock/clock-guard.ts';
import type { ClockKeeper } from '../storage-records/clock/clock-keeper.ts';
import type { OwnershipGuard } from '../storage-records/ownership/ownership-guard.ts';
import { type ClearRules, clearWindow, type Removed } from './clear-window.ts';
import { type DeletionWait, deletionWaitOf } from './deletion-wait.ts';
import { beyondLimits } from './pass-limits.ts';
import { storedWindows } from './stored-windows.ts';

/** What is counted of deletion. */
interface DeletionMetrics {
  recordDeleted(objects: number, bytes: number): void;
  /** @param seconds that deletion lags behind the clock */
  recordReaperLag(seconds: number): void;
  recordReaperPass(result: 'completed' | 'failed' | 'waiting'): void;
}

export interface SweepParts {
  readonly driver: Driver;
  readonly clock: ClockGuard;
  readonly clockKeeper: Pick<ClockKeeper, 'refresh'>;
  readonly ownership: OwnershipGuard;
  readonly metrics: DeletionMetrics;
}

/** What one window has lost so far, or would lose. */
export interface WindowProgress extends Removed {
  /** `expires-20261224T000000Z-30d` */
  readonly window: string;
}

export interface SweepRules extends ClearRules {
  /** Whether the window may go, asked just before it does. */
  readonly mayGo: (window: ExpiryWindow) => boolean;
  /** whether windows that end after one which may not go may not go either */
  readonly byEnd: boolean;
  /** Also for a window that failed. */
  readonly onWindowEnd?: (sum: WindowProgress, seconds: number) => void;
}

/**
 * Whether all that has to hold before anything is deleted does.
 * @returns why deletion waits; `undefined`: it need not
 * @throws ServiceError `clock_difference`; ForeignStoreError, StorageError
 */
export async function waitOfDeletion(
  { clock, clockKeeper, ownership }: SweepParts,
  signal: AbortSignal,
): Promise<DeletionWait | undefined> {
  await clock.check();
  await ownership.checkMayDelete(signal);
  const unconfirmed = await clockKeeper.refresh();
  return unconfirmed && deletionWaitOf(unconfirmed);
}

/**
 * Deletes the windows that may go, the earliest end first, and yields the sum of a window after each of its pages. A window
 * that fails does not keep the others.
 * @throws ServiceError `clock_difference`; ForeignStoreError, StorageError, also when something is left for the next sweep
 */
export async function* sweep(parts: SweepParts, rules: SweepRules): AsyncGenerator<WindowProgress> {
  const { mayGo, byEnd, limits, signal } = rules;
  const failures: unknown[] = [];
  const { windows, hasLater, cutOff } = await storedWindows(parts.driver, signal, limits);
  let hasMore = hasLater;
  for (const window of windows) {
    if (!mayGo(window)) {
      if (!byEnd) continue;
      hasMore = false;
      break;
    }
    try {
      await parts.clock.assertTrusted();
      await parts.ownership.assertMayDelete(signal);
      yield* sweepWindow(parts, windowName(window), rules);
    } catch (error) {
      signal.throwIfAborted();
      failures.push(error);
    }
  }
  if (failures.length > 0) throw failures[0];
  if (hasMore || cutOff) throw beyondLimits('the storage has more windows');
}

async function* sweepWindow(
  { driver, metrics }: SweepParts,
  window: string,
  { onWindowEnd, ...rules }: SweepRules,
): AsyncGenerator<WindowProgress> {
  const startedAtMs = performance.now();
  let sum = { window, objects: 0, bytes: 0 };
  try {
    for await (const { objects, bytes } of clearWindow(driver, `${window}/`, rules)) {
      sum = { ...sum, objects: sum.objects + objects, bytes: sum.bytes + bytes };
      if (rules.dryRun !== true) metrics.recordDeleted(objects, bytes);
      yield sum;
    }
  } finally {
    onWindowEnd?.(sum, (performance.now() - startedAtMs) / 1_000);
  }
}
