import { setTimeout as sleep } from 'node:timers/promises';
import type { FastifyBaseLogger } from 'fastify';
import type { ClockGuard } from '../blob-store/clock-guard.ts';
import type { OwnershipGuard } from '../blob-store/ownership-guard.ts';
import type { Driver } from '../drivers/driver.ts';
import { isExpired } from '../keys/window.ts';
import type { Metrics } from '../operations/metrics.ts';
import { deleteWindow } from './delete-window.ts';
import { storedWindows } from './expired-windows.ts';

/** Passes begin this share of the interval earlier or later, so that several reapers do not list at the same moment. */
const JITTER = 0.1;
/** seconds that deletion may lag behind the clock unmentioned */
const LAG_TO_TELL = 60;
/** ms after which a pass that failed is tried again, where the interval is longer: what was wrong may be right by then */
const RETRY_INTERVAL = 60_000;
/** What a timer can wait; a longer one would fire at once. */
const LONGEST_PAUSE = 2 ** 31 - 1;

export interface ReaperSettings {
  /** ms between the starts of passes */
  readonly interval: number;
  /** the difference allowed between the clocks of any two processes, ms */
  readonly clockTolerance: number;
}

export interface ReaperParts {
  readonly driver: Driver;
  readonly clock: ClockGuard;
  readonly ownership: OwnershipGuard;
  readonly metrics: Metrics;
  readonly log: FastifyBaseLogger;
}

export interface ReaperStatus {
  readonly lastCompletedTime: string | undefined;
  readonly lastError: string | undefined;
}

/** Deletes what is in expired windows, on an interval. Nothing else in the service deletes payloads, but `cleanup`. */
export class Reaper {
  readonly #driver: Driver;
  readonly #clock: ClockGuard;
  readonly #ownership: OwnershipGuard;
  readonly #metrics: Metrics;
  readonly #log: FastifyBaseLogger;
  readonly #settings: ReaperSettings;
  #status: ReaperStatus = { lastCompletedTime: undefined, lastError: undefined };

  constructor(parts: ReaperParts, settings: ReaperSettings) {
    this.#driver = parts.driver;
    this.#clock = parts.clock;
    this.#ownership = parts.ownership;
    this.#metrics = parts.metrics;
    this.#log = parts.log;
    this.#settings = settings;
  }

  get status(): ReaperStatus {
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
   * One pass over all expired windows; one that fails does not keep the others.
   * @throws ServiceError `clock_difference`; ForeignStoreError, StorageError
   */
  async pass(signal: AbortSignal): Promise<void> {
    await this.#clock.check();
    await this.#ownership.checkMayDelete(signal);
    this.#tellLag();
    const failures: unknown[] = [];
    for (const { window, folder } of await storedWindows(this.#driver, signal)) {
      if (!isExpired(window, this.#clock.deletionTime, this.#settings.clockTolerance)) break;
      await this.#reap(folder, signal).catch((error) => failures.push(error));
      signal.throwIfAborted();
    }
    if (failures.length > 0) throw failures[0];
  }

  async #reap(folder: string, signal: AbortSignal): Promise<void> {
    let objects = 0;
    let bytes = 0;
    const started = performance.now();
    await this.#clock.assertTrusted();
    await this.#ownership.assertMayDelete(signal);
    try {
      for await (const page of deleteWindow(this.#driver, folder, signal)) {
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
    this.#log.warn(
      { seconds },
      'the clock was set forward, or the machine slept: expired payloads are kept this much longer until a restart',
    );
  }

  /** Whether the pass was completed. */
  async #attempt(signal: AbortSignal): Promise<boolean> {
    try {
      await this.pass(signal);
      this.#metrics.recordReaperPass('completed');
      this.#status = { lastCompletedTime: new Date().toISOString(), lastError: undefined };
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      this.#metrics.recordReaperPass('failed');
      this.#status = { ...this.#status, lastError: (error as Error).message };
      this.#log.error({ err: error }, 'the reaper could not complete its pass; it will try again');
      return false;
    }
  }
}
