import { setTimeout as sleep } from 'node:timers/promises';
import type { ReaperReport } from '@largepayload/crds';
import { failureReport } from '../errors/failure-report.ts';
import { toServiceError } from '../errors/to-service-error.ts';
import { isExpired } from '../keys/window.ts';
import type { Log } from '../log/log.ts';
import type { ClockKeeper } from '../storage-records/clock/clock-keeper.ts';
import { tryDelete } from '../storage-records/write-check/delete-trial.ts';
import { type DeletionWait, isoSecond } from './deletion-wait.ts';
import { PASS_LIMITS, type PassLimits } from './pass-limits.ts';
import { type SweepParts, sweep, waitOfDeletion } from './sweep.ts';

/** Passes begin this share of the interval earlier or later, so that several reapers do not list at the same moment. */
const JITTER = 0.1;
/** seconds; a shorter lag of deletion behind the clock is not logged */
const LEAST_LOGGED_LAG = 60;
/** ms after which a pass that failed, or had to wait, is tried again, where the interval is longer: what was wrong may be right by then */
const RETRY_INTERVAL = 60_000;
/** What a timer can wait; a longer one would fire at once. */
const LONGEST_PAUSE = 2 ** 31 - 1;

export interface ReaperSettings {
  /** ms between the starts of passes */
  readonly intervalMs: number;
  /** the difference allowed between the clocks of any two processes, ms */
  readonly clockToleranceMs: number;
  /** whether passes begin with a trial delete, until one has succeeded */
  readonly trial?: boolean;
}

export interface ReaperParts extends SweepParts {
  readonly clockKeeper: Pick<ClockKeeper, 'refresh' | 'lagEnd'>;
  readonly log: Log;
}

const NO_PASS_YET: ReaperReport = { lastCompletedTime: undefined, lastError: undefined, waiting: undefined };

/** Deletes expired windows, on an interval. Only the reaper and `cleanup` delete payloads. */
export class Reaper {
  readonly #parts: ReaperParts;
  readonly #settings: ReaperSettings;
  #trialDue: boolean;
  #status: ReaperReport = NO_PASS_YET;

  constructor(parts: ReaperParts, settings: ReaperSettings) {
    this.#parts = parts;
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
        ? this.#settings.intervalMs
        : Math.min(this.#settings.intervalMs, RETRY_INTERVAL);
      const pause = interval * (1 - JITTER + 2 * JITTER * Math.random()) - (performance.now() - started);
      const pauseMs = Math.min(Math.max(0, pause), LONGEST_PAUSE);
      await sleep(pauseMs, undefined, { signal, ref: false }).catch(() => {});
    }
  }

  /**
   * One pass over all expired windows, within limits. A window that fails does not keep the others, nor does a failed trial: a
   * policy may allow deletes in windows only.
   * @returns why the pass waits and deletes nothing; `undefined`: it does not wait
   * @throws ServiceError `clock_difference`; ForeignStoreError, StorageError
   */
  async pass(signal: AbortSignal, limits: PassLimits = PASS_LIMITS): Promise<DeletionWait | undefined> {
    const wait = await waitOfDeletion(this.#parts, signal);
    this.#logLag();
    if (wait !== undefined) return wait;
    const failures: unknown[] = [];
    await this.#tryDelete(signal).catch((error) => failures.push(error));
    signal.throwIfAborted();
    await this.#sweep(limits, signal).catch((error) => failures.push(error));
    signal.throwIfAborted();
    if (failures.length > 0) throw failures[0];
    return undefined;
  }

  async #tryDelete(signal: AbortSignal): Promise<void> {
    if (this.#trialDue) await tryDelete(this.#parts.driver, signal);
    this.#trialDue = false;
  }

  async #sweep(limits: PassLimits, signal: AbortSignal): Promise<void> {
    const { clock, log } = this.#parts;
    const { clockToleranceMs } = this.#settings;
    const pages = sweep(this.#parts, {
      mayGo: (window) => isExpired(window, clock.deletionTime, clockToleranceMs),
      byEnd: true,
      onWindowEnd: (sum, seconds) => {
        if (sum.objects > 0) log.info({ ...sum, seconds: Number(seconds.toFixed(3)) }, 'reaped');
      },
      ...{ limits, signal },
    });
    for await (const _sum of pages);
  }

  #logLag(): void {
    const seconds = Math.round(this.#parts.clock.deletionLag / 1_000);
    this.#parts.metrics.recordReaperLag(seconds);
    if (seconds < LEAST_LOGGED_LAG) return;
    const end = this.#parts.clockKeeper.lagEnd;
    this.#parts.log.warn(
      { seconds, until: end === undefined ? undefined : isoSecond(end) },
      'the clock was set forward, or the machine slept: until then expired payloads are kept this much longer; if the clock was right all the time, payload-store accept-clock ends it',
    );
  }

  #logWait(waiting: DeletionWait | undefined): void {
    if ((waiting === undefined) === (this.#status.waiting === undefined)) return;
    if (waiting === undefined)
      this.#parts.log.info('the clock is confirmed: expired payloads are deleted again');
    else this.#parts.log.warn({ until: waiting.until }, waiting.message);
  }

  /** Whether the pass was completed. */
  async #attempt(signal: AbortSignal): Promise<boolean> {
    try {
      const waiting = await this.pass(signal);
      this.#parts.metrics.recordReaperPass(waiting === undefined ? 'completed' : 'waiting');
      this.#logWait(waiting);
      const lastCompletedTime =
        waiting === undefined ? new Date().toISOString() : this.#status.lastCompletedTime;
      this.#status = { lastCompletedTime, lastError: undefined, waiting };
      return waiting === undefined;
    } catch (error) {
      if (signal.aborted) return false;
      this.#parts.metrics.recordReaperPass('failed');
      const lastFailure = failureReport(toServiceError(error));
      this.#status = { ...this.#status, lastError: (error as Error).message, lastFailure };
      this.#parts.log.error({ err: error }, 'the reaper could not complete its pass; it will try again');
      return false;
    }
  }
}
