import type { Moment } from '../../time/moment.ts';
import { ClockMemory } from './clock-memory.ts';
import { type ClockFacts, clockRules } from './clock-plausibility.ts';

export const SECOND = 1_000;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;
export const YEAR = 365 * DAY;
export const NOON = Date.UTC(2026, 5, 1, 12);

export const FOLDER = { ttl: 12 * HOUR, reaperInterval: HOUR, clockToleranceMs: 0, storageHasClock: false };
export const BUCKET = { ...FOLDER, clockToleranceMs: MINUTE, storageHasClock: true };

/** A machine with a wall clock that can be set, and its processes one after another. */
export class Machine {
  #true = NOON;
  #offset: number;
  readonly facts: ClockFacts;
  memory: ClockMemory;

  constructor(facts: ClockFacts, offset = 0) {
    this.facts = facts;
    this.#offset = offset;
    this.memory = new ClockMemory(clockRules(facts), this.now);
  }

  /** The monotonic clock begins anywhere. */
  get now(): Moment {
    return { wallTime: this.#true + this.#offset, monotonicTime: this.#true - NOON + 12_345 };
  }

  static begun(facts: ClockFacts, offset = 0): Machine {
    const machine = new Machine(facts, offset);
    machine.memory.beginNew();
    machine.agree();
    return machine;
  }

  set(offset: number): void {
    this.#offset = offset;
  }

  /** The storage's clock shows what ours does. */
  agree(): void {
    this.memory.confirm(this.now.wallTime, this.now);
  }

  /** Runs evenly, looking at the clock each minute. */
  run(duration: number): void {
    for (let minute = 0; minute < duration; minute += MINUTE) {
      this.#true += Math.min(MINUTE, duration - minute);
      this.agree();
    }
  }

  pass(duration: number): void {
    this.#true += duration;
  }

  /** The process ends, and after a rest another one begins, perhaps with a clock that was set meanwhile. */
  restart({ rest = 0, offset = this.#offset, facts = this.facts, boot = '' } = {}): void {
    const bootTime = () => (boot === '' ? undefined : { id: boot, at: this.now.monotonicTime });
    const record = this.memory.record(this.now, bootTime());
    this.pass(rest);
    this.set(offset);
    this.memory = new ClockMemory(clockRules(facts), this.now);
    this.memory.merge(record, this.now, bootTime());
  }

  get waits(): number | undefined {
    const unconfirmed = this.memory.unconfirmed(this.now);
    return unconfirmed && unconfirmed.until - this.now.wallTime;
  }

  get lag(): number {
    return this.now.wallTime - this.memory.deletionTime(this.now);
  }

  get mark(): number | undefined {
    return this.memory.markAt(this.now);
  }
}
