import type { Driver } from '../drivers/driver.ts';
import { ServiceError } from '../errors.ts';
import { type Moment, momentNow } from './moment.ts';
import { timeLimit } from './time-limit.ts';

/** How old a comparison may be before the next PUT or deletion asks for another one (ms). */
const COMPARISON_LIFETIME = 30_000;
/** The same where the clocks differed: they may be set right, or the answer may have been wrong (ms). */
const DIFFERENCE_LIFETIME = 1_000;
/** How long the backend may take to tell the time (ms). */
const COMPARISON_LIMIT = 8_000;
const LEAST_TOLERANCE = 2_000;

interface Comparison {
  readonly wallTime: number;
  readonly monotonicTime: number;
  /** how far our clock is ahead of the backend's, ms, beyond what the round trip may explain */
  readonly difference: number;
}

/**
 * Compares our clock with the backend's, on which all processes of a store agree. With a wrong clock a PUT would go to a
 * window that ends too early, and a reaper would delete what is alive; so neither happens while it is wrong.
 */
export class ClockGuard {
  readonly #driver: Driver;
  readonly #tolerance: number;
  readonly #start: Moment = momentNow();
  #last: Comparison | undefined;
  #comparing: Promise<Comparison> | undefined;

  /** @param clockTolerance the difference allowed between any two processes, ms; at least 2 s are, as `Date` headers have whole seconds */
  constructor(driver: Driver, clockTolerance: number) {
    this.#driver = driver;
    this.#tolerance = Math.max(clockTolerance, LEAST_TOLERANCE);
  }

  /**
   * The time by which a payload that arrived at `received` is placed in a window: the later one of our clock and of what
   * it would show had it run evenly since this process began. After a step backwards payloads so live longer, not shorter.
   */
  placementTime(received: Moment): number {
    return Math.max(received.wallTime, this.#evenTime(received.monotonicTime));
  }

  /**
   * The time by which windows are judged expired: the earlier one of the two. A step forwards may correct a clock that was
   * behind when payloads were placed, so it hastens no deletion; neither does the time a machine slept.
   */
  get deletionTime(): number {
    return Math.min(Date.now(), this.#evenTime(performance.now()));
  }

  /** ms that deletion lags behind our clock, because of steps forwards and sleep since this process began */
  get deletionLag(): number {
    return Date.now() - this.deletionTime;
  }

  /** Returns at once while the last comparison holds and our clock has run evenly since. @throws ServiceError `clock_difference`, StorageError */
  async assertTrusted(): Promise<void> {
    const comparison = this.#isCurrent(this.#last) ? this.#last : await this.compare();
    this.#assertWithinTolerance(comparison);
  }

  /** Compares now. @throws ServiceError `clock_difference`, StorageError */
  async check(): Promise<void> {
    this.#assertWithinTolerance(await this.compare());
  }

  async compare(): Promise<Comparison> {
    this.#comparing ??= this.#measure().finally(() => {
      this.#comparing = undefined;
    });
    return await this.#comparing;
  }

  #evenTime(monotonicTime: number): number {
    return this.#start.wallTime + monotonicTime - this.#start.monotonicTime;
  }

  async #measure(): Promise<Comparison> {
    const before = Date.now();
    const backendTime = await this.#driver.currentTime(timeLimit(COMPARISON_LIMIT, "the storage's time"));
    const after = Date.now();
    const difference = after < backendTime ? after - backendTime : Math.max(0, before - backendTime);
    this.#last = { wallTime: after, monotonicTime: performance.now(), difference };
    return this.#last;
  }

  #isCurrent(comparison: Comparison | undefined): comparison is Comparison {
    if (comparison === undefined) return false;
    const elapsed = performance.now() - comparison.monotonicTime;
    const step = Math.abs(Date.now() - comparison.wallTime - elapsed);
    const lifetime =
      Math.abs(comparison.difference) > this.#tolerance ? DIFFERENCE_LIFETIME : COMPARISON_LIFETIME;
    return elapsed < lifetime && step < LEAST_TOLERANCE / 2;
  }

  #assertWithinTolerance({ difference }: Comparison): void {
    if (Math.abs(difference) <= this.#tolerance) return;
    const direction = difference > 0 ? 'ahead of' : 'behind';
    throw new ServiceError(
      'clock_difference',
      `this machine's clock is ${(Math.abs(difference) / 1_000).toFixed(1)} s ${direction} the storage's; payloads are neither stored nor deleted until it is set right`,
    );
  }
}
