import { setTimeout as sleep } from 'node:timers/promises';
import type { ReaperReport } from '@largepayload/crds';
import type { FastifyBaseLogger } from 'fastify';
import type { Driver } from '../drivers/driver.ts';
import { failureReport } from '../errors/failure-report.ts';
import { toServiceError } from '../errors/to-service-error.ts';
import { isExpired } from '../keys/window.ts';
import type { ClockGuard } from '../storage-records/clock/clock-guard.ts';
import type { ClockKeeper } from '../storage-records/clock/clock-keeper.ts';
import type { OwnershipGuard } from '../storage-records/ownership/ownership-guard.ts';
import { tryDelete } from '../storage-records/write-check/delete-trial.ts';
import { deleteWindow } from './delete-window.ts';
import type { DeletionMetrics } from './deletion-metrics.ts';
import { type DeletionWait, deletionWaitOf, isoSecond } from './deletion-wait.ts';
import { storedWindows } from './expired-windows.ts';
import { beyondLimits, PASS_LIMITS, type PassLimits } from './pass-limits.ts';

/** Passes begin this share of the interval earlier or later, so that several reapers do not list at the same moment. */
const JITTER = 0.1;
/** seconds that deletion may lag behind the clock unmentioned */
const LAG_TO_TELL = 60;
/** ms after which a pass that failed, or had to wait, is tried again, where the interval is longer: what was wrong may be right by then */
const RETRY_INTERVAL = 60_000;
/** What a timer can wait; a longer one would fire at once. */
const LONGEST_PAUSE = 2 ** 31 - 1;

export interface ReaperSettings {
  /** ms between the starts of passes */
  readonly interval: number;
  /** the difference allowed between the clocks of any two processes, ms */
  readonly clockTolerance: number;
  /** whether passes begin with a trial delete, until one has succeeded */
  readonly trial?: boolean;
}

export interface ReaperParts {
  readonly driver: Driver;
  readonly clock: ClockGuard;
  readonly clockKeeper: Pick<ClockKeeper, 'refresh' | 'lagEnd'>;
  readonly ownership: OwnershipGuard;
  readonly metrics: DeletionMetrics;
  readonly log: FastifyBaseLogger;
}

const NO_PASS_YET: ReaperReport = { lastCompletedTime: undefined, lastError: undefined, waiting: undefined };

/** Deletes what is in expired windows, on an interval. Nothing else in the service deletes payloads, but `cleanup`. */
export class Reaper {
  readonly #driver: Driver;
  readonly #clock: ClockGuard;
  readonly #clockKeeper: ReaperParts['clockKeeper'];
  readonly #ownership: OwnershipGuard;
  readonly #metrics: DeletionMetrics;
  readonly #log: FastifyBaseLogger;
  readonly #settings: ReaperSettings;
  #trialDue: boolean;
  #status: ReaperReport = NO_PASS_YET;

  constructor(parts: ReaperParts, settings: ReaperSettings) {
    this.#driver = parts.driver;
    this.#clock = parts.clock;
    this.#clockKeeper = parts.clockKeeper;
    this.#ownership = parts.ownership;
    this.#metrics = parts.metrics;
    this.#log = parts.log;
    this.#settings = settings;
    this.#trialDue = settings.trial ?? false;
  }

  get status(): ReaperReport {
    return this.#status;
  }

  /** Makes passes until the signal is aborted. Never rejects: a pass that fails is tried again. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const started = performance.now();
      const completed = await this.#attempt(signal);
      const interval = completed
        ? this.#settings.interval
        : Math.min(this.#settings.interval, RETRY_INTERVAL);
      const pause = interval * (1 - JITTER + 2 * JITTER * Math.random()) - (performance.now() - started);
      await sleep(Math.min(Math.max(0, pause), LONGEST_PAUSE), undefined, { signal, ref: false }).catch(
        () => {},
      );
    }
  }

  /**
   * One pass over all expired windows, within limits; one that fails does not keep the others. Nor does a trial that fails: a
   * policy may allow no more than to delete in windows. Whether the pass has to wait, and deletes nothing.
   * @throws ServiceError `clock_difference`; ForeignStoreError, StorageError
   */
  async pass(signal: AbortSignal, limits: PassLimits = PASS_LIMITS): Promise<DeletionWait | undefined> {
    await this.#clock.check();
    await this.#ownership.checkMayDelete(signal);
    const unconfirmed = await this.#clockKeeper.refresh();
    this.#tellLag();
    if (unconfirmed !== undefined) return deletionWaitOf(unconfirmed);
    const failures: unknown[] = [];
    await this.#tryDelete(signal).catch((error) => failures.push(error));
    signal.throwIfAborted();
    const { windows, hasLater, cutOff } = await storedWindows(this.#driver, signal, limits);
    let isAllReaped = !hasLater;
    for (const { window, folder } of windows) {
      if (!isExpired(window, this.#clock.deletionTime, this.#settings.clockTolerance)) {
        isAllReaped = true;
        break;
      }
      await this.#reap(folder, limits, signal).catch((error) => failures.push(error));
      signal.throwIfAborted();
    }
    if (failures.length > 0) throw failures[0];
    if (!isAllReaped || cutOff) throw beyondLimits('the storage has more windows');
    return undefined;
  }

  async #tryDelete(signal: AbortSignal): Promise<void> {
    if (!this.#trialDue) return;
    await tryDelete(this.#driver, signal);
    this.#trialDue = false;
  }

  async #reap(folder: string, limits: PassLimits, signal: AbortSignal): Promise<void> {
    let objects = 0;
    let bytes = 0;
    const started = performance.now();
    await this.#clock.assertTrusted();
    await this.#ownership.assertMayDelete(signal);
    try {
      for await (const page of deleteWindow(this.#driver, folder, signal, limits)) {
        objects += page.objects;
        bytes += page.bytes;
        this.#metrics.recordDeleted(page.objects, page.bytes);
      }
    } finally {
      const seconds = Number(((performance.now() - started) / 1_000).toFixed(3));
      if (objects > 0) this.#log.info({ window: folder.slice(0, -1), objects, bytes, seconds }, 'reaped');
    }
  }

  #tellLag(): void {
    const seconds = Math.round(this.#clock.deletionLag / 1_000);
    this.#metrics.recordReaperLag(seconds);
    if (seconds < LAG_TO_TELL) return;
    const end = this.#clockKeeper.lagEnd;
    this.#log.warn(
      { seconds, until: end === undefined ? undefined : isoSecond(end) },
      'the clock was set forward, or the machine slept: until then expired payloads are kept this much longer; if the clock was right all the time, payload-store accept-clock ends it',
    );
  }

  #tellWait(waiting: DeletionWait | undefined): void {
    if ((waiting === undefined) === (this.#status.waiting === undefined)) return;
    if (waiting === undefined) this.#log.info('the clock is confirmed: expired payloads are deleted again');
    else this.#log.warn({ until: waiting.until }, waiting.message);
  }

  /** Whether the pass was completed. */
  async #attempt(signal: AbortSignal): Promise<boolean> {
    try {
      const waiting = await this.pass(signal);
      this.#metrics.recordReaperPass(waiting === undefined ? 'completed' : 'waiting');
      this.#tellWait(waiting);
      const lastCompletedTime =
        waiting === undefined ? new Date().toISOString() : this.#status.lastCompletedTime;
      this.#status = { lastCompletedTime, lastError: undefined, waiting };
      return waiting === undefined;
    } catch (error) {
      if (signal.aborted) return false;
      this.#metrics.recordReaperPass('failed');
      const { message } = error as Error;
      this.#status = {
        ...this.#status,
        lastError: message,
        lastFailure: failureReport(toServiceError(error)),
      };
      this.#log.error({ err: error }, 'the reaper could not complete its pass; it will try again');
      return false;
    }
  }
}
