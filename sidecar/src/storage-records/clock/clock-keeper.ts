import { setTimeout as sleep } from 'node:timers/promises';
import type { Driver } from '../../drivers/driver.ts';
import { ServiceError } from '../../errors/service-error.ts';
import type { Log } from '../../log/log.ts';
import { bootTimeNow } from '../../time/boot-time.ts';
import { type Moment, momentNow } from '../../time/moment.ts';
import { timeLimit } from '../../time/time-limit.ts';
import { putSmallObject, readSmallObject } from '../small-object.ts';
import type { ClockGuard } from './clock-guard.ts';
import type { ClockMemory, ClockUnconfirmed } from './clock-memory.ts';
import { CLOCK_NAME, formatClockRecord, isPossibleTime, parseClockRecord } from './clock-record.ts';

/** ms between two writes, unless there is a step */
const RENEWAL_INTERVAL = 60_000;
/** ms after which a step of the clock is seen, and what was learned from it is written */
const LOOK_INTERVAL = 1_000;
/** How long the storage may take to give or to take it (ms). */
const TRANSFER_LIMIT = 8_000;
/** The same at the end of a process. */
const LAST_LIMIT = 3_000;

/** What a person accepted. */
export interface AcceptedClock {
  /** our clock, which the storage's confirms, ISO 8601 */
  readonly time: string;
  /** the latest time that was known for sure before, ISO 8601; `null`: none was */
  readonly mark: string | null;
  /** how far our clock is ahead of it, s */
  readonly difference: number | null;
  /** whether the storage keeps it; else this process alone knows of it, until it ends */
  readonly written: boolean;
}

export interface ClockKeeperParts {
  readonly driver: Driver;
  readonly clock: ClockGuard;
  readonly memory: ClockMemory;
  readonly log: Log;
}

/**
 * Keeps in the storage, as `clock.json`, what the processes of a store learn about time, so that a restart forgets no
 * danger. A storage that does not take it stops nothing: the memory has it, and it is written later.
 */
export class ClockKeeper {
  readonly #parts: ClockKeeperParts;
  readonly #memory: ClockMemory;
  readonly #mayWrite: boolean;
  #loaded: Promise<void> | undefined;
  #begun: Promise<void> | undefined;
  #stepsWritten = 0;
  #acceptance = false;
  #warnedUnreadable = false;
  #warnedUnwritten = false;

  /** @param mayWrite a reaper may not */
  constructor(parts: ClockKeeperParts, { mayWrite }: { mayWrite: boolean }) {
    this.#parts = parts;
    this.#memory = parts.memory;
    this.#mayWrite = mayWrite;
  }

  /** This process has just begun the store in an empty storage. */
  beginNew(): void {
    this.#memory.beginNew();
  }

  /** Accepts the clock as soon as the storage's agrees with it. */
  acceptOnce(): void {
    this.#acceptance = true;
  }

  placementTime(received: Moment): number {
    return this.#memory.placementTime(received);
  }

  /** Whether payloads may be placed by our clock. @throws ServiceError `clock_difference`, StorageError */
  async assertMayPlace(): Promise<void> {
    this.#loaded ??= this.#read(TRANSFER_LIMIT).catch((error) => {
      this.#loaded = undefined;
      throw error;
    });
    await this.#loaded;
    await this.#parts.clock.assertMayPlace();
  }

  /**
   * Learns what other processes wrote, and whether the clocks agree. Whether deletion has to wait, and for how long.
   * @throws ServiceError `clock_difference`, StorageError
   */
  async refresh(): Promise<ClockUnconfirmed | undefined> {
    await this.#learn(TRANSFER_LIMIT);
    return this.#memory.unconfirmed(momentNow());
  }

  /** When deletion catches up with our clock (ms since the epoch); `undefined`: it does not lag. */
  get lagEnd(): number | undefined {
    return this.#memory.lagEnd(momentNow());
  }

  /** A person says that the clock is right, whatever was learned. @throws ServiceError `clock_difference`, StorageError */
  async accept(): Promise<AcceptedClock> {
    await this.#read(TRANSFER_LIMIT);
    await this.#parts.clock.check();
    const before = await this.#acceptNow();
    return { ...before, written: this.#mayWrite && (await this.#write(TRANSFER_LIMIT)) };
  }

  /** The first renewal, for a role that wants it done before PUTs come. Never rejects. */
  async begin(): Promise<void> {
    this.#begun ??= this.#renew(TRANSFER_LIMIT);
    await this.#begun;
  }

  /** Renews what the storage has, at a step at once, until the signal is aborted, and then a last time. Never rejects. */
  async run(signal: AbortSignal): Promise<void> {
    await this.begin();
    while (!signal.aborted) {
      await this.#untilRenewal(signal);
      if (!signal.aborted) await this.#renew(TRANSFER_LIMIT);
    }
    await this.#renew(LAST_LIMIT);
  }

  async #untilRenewal(signal: AbortSignal): Promise<void> {
    const renewed = performance.now();
    while (!signal.aborted && performance.now() - renewed < RENEWAL_INTERVAL) {
      await sleep(LOOK_INTERVAL, undefined, { signal, ref: false }).catch(() => {});
      this.#memory.observe(momentNow());
      if (this.#memory.stepsSeen !== this.#stepsWritten) return;
    }
  }

  async #renew(limit: number): Promise<void> {
    this.#stepsWritten = this.#memory.stepsSeen;
    try {
      await this.#learn(limit);
    } catch {
      // Without a storage, or with a wrong clock, there is nothing to write. PUTs and passes report either.
      return;
    }
    await this.#write(limit);
  }

  async #learn(limit: number): Promise<void> {
    await this.#read(limit);
    try {
      const time = await this.#parts.clock.confirmedTime();
      this.#memory.confirm(time, momentNow());
    } catch (error) {
      // A storage that does not answer, or too slowly, proves nothing about the clocks.
      if (error instanceof ServiceError) this.#memory.distrust();
      throw error;
    }
    if (!this.#acceptance) return;
    this.#parts.log.warn(
      { accepted: await this.#acceptNow() },
      'the clock was accepted, as --accept-clock says',
    );
  }

  async #acceptNow(): Promise<Omit<AcceptedClock, 'written'>> {
    const time = await this.#parts.clock.confirmedTime();
    const now = momentNow();
    const mark = this.#memory.markAt(now);
    this.#memory.accept(time, now, this.#mayWrite);
    this.#acceptance = false;
    return {
      time: new Date(time).toISOString(),
      mark: mark === undefined ? null : new Date(mark).toISOString(),
      difference: mark === undefined ? null : Math.round(time - mark) / 1_000,
    };
  }

  async #read(limit: number): Promise<void> {
    const object = await readSmallObject(this.#parts.driver, CLOCK_NAME, timeLimit(limit, CLOCK_NAME));
    this.#loaded ??= Promise.resolve();
    if (object === undefined) return;
    const stored = object === 'unreadable' ? undefined : parseClockRecord(object.text);
    if (stored !== undefined) this.#memory.merge(stored, momentNow(), bootTimeNow());
    else if (!this.#warnedUnreadable) {
      this.#warnedUnreadable = true;
      this.#parts.log.warn(
        `${CLOCK_NAME} in the storage is not readable, and counts as if it were not there`,
      );
    }
  }

  /** Whether the storage has it now. */
  async #write(limit: number): Promise<boolean> {
    const now = momentNow();
    if (!isPossibleTime(now.wallTime)) return false;
    try {
      const text = formatClockRecord(this.#memory.record(now, bootTimeNow()));
      const signal = timeLimit(limit, CLOCK_NAME);
      await putSmallObject(this.#parts.driver, CLOCK_NAME, text, { signal, replace: true });
      this.#warnedUnwritten = false;
      return true;
    } catch (error) {
      if (!this.#warnedUnwritten) {
        const reason = (error as Error).message;
        const message = `${CLOCK_NAME} cannot be written; until it can, a restart would forget what was learned about the clock`;
        this.#parts.log.warn({ reason }, message);
      }
      this.#warnedUnwritten = true;
      return false;
    }
  }
}
