import type { Driver } from '../../drivers/driver.ts';
import type { FailsPutsOnly } from '../../errors/fails-puts-only.ts';
import { ServiceError } from '../../errors/service-error.ts';
import { StorageError } from '../../errors/storage-error.ts';
import { type Moment, momentNow } from '../../time/moment.ts';
import { timeLimit } from '../../time/time-limit.ts';
import type { ClockMemory } from './clock-memory.ts';

/** How old a comparison may be before the next PUT or deletion asks for another one (ms). */
const COMPARISON_LIFETIME = 30_000;
/** The same where the clocks differed: they may be set right, or the answer may have been wrong (ms). */
const DIFFERENCE_LIFETIME = 1_000;
/** How long the storage may take to answer what time it is (ms). */
const COMPARISON_LIMIT = 8_000;
/** How often it is asked when its answers are too slow to prove anything. */
const MOST_TRIES = 4;
const LEAST_TOLERANCE = 2_000;

interface Comparison {
  readonly wallTime: number;
  readonly monotonicTime: number;
  /** what the storage's clock showed, ms since the epoch */
  readonly storageTime: number;
  /** how far our clock is ahead of the storage's at most and at least, ms: its answer belongs to some moment of the round trip */
  readonly most: number;
  readonly least: number;
}

/** The machine's clock is behind the time that the storage is known to have reached. What is stored can be served. */
export class ClockBehindError extends ServiceError implements FailsPutsOnly {
  readonly failsPutsOnly = true;

  constructor(behind: number, mark: number) {
    super(
      'clock_difference',
      `this machine's clock is ${seconds(behind)} behind ${new Date(mark).toISOString()}, which the store had reached (clock.json); no payload is stored until the clock is set right, or, if it is right, accepted by payload-store accept-clock`,
      { reason: { name: 'ClockBehind' } },
    );
    this.name = 'ClockBehindError';
  }
}

/**
 * Compares our clock with the storage's, on which all processes of a store agree. With a wrong clock a PUT would go to a
 * window that ends too early, and a reaper would delete what is alive; so neither happens while it is wrong, nor while the
 * storage answers too slowly to prove that it is right.
 */
export class ClockGuard {
  readonly #driver: Driver;
  readonly #tolerance: number;
  readonly #memory: ClockMemory;
  #last: Comparison | undefined;
  #comparing: Promise<Comparison> | undefined;

  /** @param clockToleranceMs the difference allowed between any two processes, ms; at least 2 s are, as `Date` headers have whole seconds */
  constructor(driver: Driver, clockToleranceMs: number, memory: ClockMemory) {
    this.#driver = driver;
    this.#tolerance = Math.max(clockToleranceMs, LEAST_TOLERANCE);
    this.#memory = memory;
  }

  /** The time by which a payload that arrived at `received` is placed in a window. */
  placementTime(received: Moment): number {
    return this.#memory.placementTime(received);
  }

  /** The time by which windows are judged expired. */
  get deletionTime(): number {
    return this.#memory.deletionTime(momentNow());
  }

  /** ms that deletion lags behind our clock, because of steps forwards and sleep */
  get deletionLag(): number {
    return Date.now() - this.deletionTime;
  }

  /** Returns at once while the last comparison holds and our clock has run evenly since. @throws ServiceError `clock_difference`, StorageError */
  async assertTrusted(): Promise<void> {
    await this.#trusted();
  }

  /** Whether payloads may be placed by our clock. @throws ServiceError `clock_difference`, StorageError */
  async assertMayPlace(): Promise<void> {
    await this.#trusted();
    const now = momentNow();
    const behind = this.#memory.behindMark(now);
    if (behind > this.#tolerance) throw new ClockBehindError(behind, now.wallTime + behind);
  }

  /** The earlier one of our clock and the storage's, which agree. @throws ServiceError `clock_difference`, StorageError */
  async confirmedTime(): Promise<number> {
    const { storageTime, monotonicTime } = await this.#trusted();
    return Math.min(Date.now(), storageTime + performance.now() - monotonicTime);
  }

  /** Compares now. @throws ServiceError `clock_difference`, StorageError */
  async check(): Promise<void> {
    this.#assertWithinTolerance(await this.#compare());
  }

  async #trusted(): Promise<Comparison> {
    const comparison = this.#isCurrent(this.#last) ? this.#last : await this.#compare();
    this.#assertWithinTolerance(comparison);
    return comparison;
  }

  async #compare(): Promise<Comparison> {
    this.#comparing ??= this.#measure().finally(() => {
      this.#comparing = undefined;
    });
    return await this.#comparing;
  }

  /** @throws StorageError also when no answer was fast enough to tell whether the clocks agree */
  async #measure(): Promise<Comparison> {
    const limit = timeLimit(COMPARISON_LIMIT, "the storage's time");
    for (let tries = 1; ; tries += 1) {
      const comparison = await this.#ask(limit);
      if (this.#agrees(comparison) || this.#differs(comparison)) {
        this.#last = comparison;
        return comparison;
      }
      if (tries === MOST_TRIES) throw notProven(comparison, this.#tolerance);
    }
  }

  async #ask(limit: AbortSignal): Promise<Comparison> {
    const before = Date.now();
    const storageTime = await this.#driver.currentTime(limit);
    const after = Date.now();
    const [least, most] = [before - storageTime, after - storageTime];
    return { wallTime: after, monotonicTime: performance.now(), storageTime, most, least };
  }

  #agrees({ most, least }: Comparison): boolean {
    return most <= this.#tolerance && least >= -this.#tolerance;
  }

  /** Whatever the round trip may explain. */
  #differs({ most, least }: Comparison): boolean {
    return least > this.#tolerance || most < -this.#tolerance;
  }

  #isCurrent(comparison: Comparison | undefined): comparison is Comparison {
    if (comparison === undefined) return false;
    const elapsed = performance.now() - comparison.monotonicTime;
    const step = Math.abs(Date.now() - comparison.wallTime - elapsed);
    const lifetime = this.#differs(comparison) ? DIFFERENCE_LIFETIME : COMPARISON_LIFETIME;
    return elapsed < lifetime && step < LEAST_TOLERANCE / 2;
  }

  #assertWithinTolerance({ most, least, ...comparison }: Comparison): void {
    if (!this.#differs({ most, least, ...comparison })) return;
    const ahead = least > 0;
    throw new ServiceError(
      'clock_difference',
      `this machine's clock is ${seconds(ahead ? least : -most)} ${ahead ? 'ahead of' : 'behind'} the storage's; payloads are neither stored nor deleted until it is set right`,
      { reason: { name: 'ClockDifference', direction: ahead ? 'ahead' : 'behind' } },
    );
  }
}

function notProven({ most, least }: Comparison, tolerance: number): StorageError {
  return new StorageError(
    'timeout',
    `the storage took ${seconds(most - least)} to tell its time, too long to prove that its clock and this machine's agree within ${tolerance / 1_000} s; payloads are neither stored nor deleted until it answers faster`,
  );
}

function seconds(milliseconds: number): string {
  return `${(milliseconds / 1_000).toFixed(1)} s`;
}
