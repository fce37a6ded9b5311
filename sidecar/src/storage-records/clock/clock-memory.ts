import type { BootTime } from '../../time/boot-time.ts';
import { type Moment, momentNow } from '../../time/moment.ts';
import { type Lag, lagAt, lagEnd, lagsAfterStep, mergeLags } from './clock-lags.ts';
import {
  type ClockRules,
  deletionWait,
  isConfirmed,
  lifetimeOfPlaced,
  runsOn,
} from './clock-plausibility.ts';
import type { ClockRecord } from './clock-record.ts';

/** ms by which the wall clock may leave the monotonic one before it counts as a step */
const STEP = 1_000;
/** Steps of this process that may be taken back, and lags that were: more than a clock in use ever makes. */
const REMEMBERED = 64;

interface Step {
  readonly by: number;
  readonly before: readonly Lag[];
  readonly made: readonly Lag[];
}

/** Deletion waits, as the clock is far ahead of the latest time known for sure. */
export interface ClockUnconfirmed {
  /** ms since the epoch; `undefined`: no time is known for sure */
  readonly mark: number | undefined;
  /** when it goes on by itself, if the clocks agree until then (ms since the epoch) */
  readonly until: number;
}

/**
 * What a process knows about time, beyond what its clock shows: a mark, the latest time known for sure; how its clock has
 * stepped; for how long it has run evenly. It asks no clock: all moments are given.
 */
export class ClockMemory {
  readonly #rules: ClockRules;
  readonly #start: Moment;
  /** On the line of even running by which steps forwards are seen; each of them moves it. */
  #anchor: Moment;
  #latest: Moment;
  #mark: { readonly time: number; readonly monotonicTime: number } | undefined;
  #stepsSeen = 0;
  #isNew = false;
  #wasConfirmed = false;
  #wasMerged = false;
  #lags: readonly Lag[] = [];
  /** which are not learned again from a record */
  #forgotten: readonly Lag[] = [];
  #steps: readonly Step[] = [];
  #agreedFor = 0;
  #agreedSince: number | undefined;
  #acceptances = 0;
  #longestTtl: number;

  constructor(rules: ClockRules, start: Moment = momentNow()) {
    this.#rules = rules;
    this.#start = start;
    this.#anchor = start;
    this.#latest = start;
    this.#longestTtl = rules.ttl ?? 0;
  }

  /** This process began the store: the first time that is confirmed is its mark. */
  beginNew(): void {
    this.#isNew = true;
  }

  /** The latest time known for sure. In a folder it goes on with the monotonic clock. */
  markAt({ monotonicTime }: Moment): number | undefined {
    if (this.#mark === undefined || this.#rules.storageHasClock) return this.#mark?.time;
    return this.#mark.time + monotonicTime - this.#mark.monotonicTime;
  }

  /** ms that our clock is behind the mark */
  behindMark(now: Moment): number {
    return Math.max(0, (this.markAt(now) ?? 0) - now.wallTime);
  }

  /**
   * The time by which a payload is placed in a window: the latest of our clock, of what it would show had it run evenly
   * since this process began, and of the mark. After a step backwards payloads so live longer, not shorter.
   */
  placementTime(received: Moment): number {
    const even = evenTime(this.#start, received);
    return Math.max(received.wallTime, even, this.markAt(received) ?? 0);
  }

  /** The time by which windows are judged expired: no step forwards, nor the time a machine slept, hastens a deletion. */
  deletionTime(now: Moment): number {
    this.observe(now);
    const even = evenTime(this.#anchor, now);
    return Math.min(now.wallTime, even) - lagAt(this.#lags, now.wallTime);
  }

  /** When deletion catches up with our clock (ms since the epoch); `undefined`: it does not lag. */
  lagEnd(now: Moment): number | undefined {
    return lagEnd(this.#lags, now.wallTime);
  }

  /** How many steps were seen so far, forwards or back. */
  get stepsSeen(): number {
    return this.#stepsSeen;
  }

  /** Looks for steps of the clock. */
  observe(now: Moment): void {
    const stepped = Math.abs(now.wallTime - evenTime(this.#latest, now)) > STEP;
    this.#latest = now;
    const drift = now.wallTime - evenTime(this.#anchor, now);
    if (stepped) this.distrust();
    if (stepped || drift > STEP) this.#stepsSeen += 1;
    if (drift > STEP) this.#stepForward(drift, now);
    else this.#takeBack(-drift);
  }

  /** Learns that the clocks agree. @param time that both show, ms since the epoch */
  confirm(time: number, now: Moment): void {
    this.observe(now);
    this.#forgetUnusedSteps();
    if (this.#agreedSince !== undefined) this.#agreedFor += now.monotonicTime - this.#agreedSince;
    this.#agreedSince = now.monotonicTime;
    const mark = this.markAt(now);
    const gap = this.#gapTo(time, now);
    const isFirst = mark === undefined && this.#isNew;
    if (!isFirst && !isConfirmed({ gap, agreedFor: this.#agreedFor }, this.#rules)) return;
    this.#agreedFor = 0;
    this.#setMark(Math.max(time, mark ?? 0), now);
  }

  /** Learns that the clocks do not agree, or no longer run as they did: agreement is measured anew. */
  distrust(): void {
    this.#agreedFor = 0;
    this.#agreedSince = undefined;
  }

  /** `undefined`: windows may be judged by `deletionTime`. */
  unconfirmed(now: Moment): ClockUnconfirmed | undefined {
    const gap = this.#gapTo(this.deletionTime(now), now);
    const wait = deletionWait({ gap, agreedFor: this.#agreedFor }, this.#rules);
    return wait === undefined ? undefined : { mark: this.markAt(now), until: now.wallTime + wait };
  }

  /**
   * Learns what other processes, and those before this one, wrote.
   * @param boot the same moment as `now`, as `record` was given it
   */
  merge(stored: ClockRecord, now: Moment, boot?: BootTime): void {
    this.observe(now);
    this.#longestTtl = Math.max(this.#longestTtl, stored.longestTtl);
    if (stored.acceptances > this.#acceptances) {
      this.#adopt(stored, now);
    } else if (stored.acceptances === this.#acceptances) {
      const isForgotten = (lag: Lag) => this.#forgotten.some((other) => isSame(lag, other));
      this.#lags = mergeLags(
        this.#lags,
        stored.lags.filter((lag) => !isForgotten(lag)),
      );
      if (stored.mark !== undefined) this.#setMark(Math.max(stored.mark, this.markAt(now) ?? 0), now);
    }
    if (!this.#wasMerged) this.#continue(stored, now, boot);
  }

  /**
   * A person says that our clock is right. @param time as confirmed by the storage
   * @param replaces whether records of before are replaced, or, where this process may not write, are only left out
   */
  accept(time: number, now: Moment, replaces: boolean): void {
    this.observe(now);
    this.#forgotten = [...this.#forgotten, ...this.#lags].slice(-REMEMBERED);
    this.#lags = [];
    this.#steps = [];
    this.#anchor = now;
    this.distrust();
    if (replaces) this.#acceptances += 1;
    this.#setMark(replaces ? time : Math.max(time, this.markAt(now) ?? 0), now);
  }

  record(now: Moment, boot?: BootTime): ClockRecord {
    const mark = this.markAt(now);
    return {
      mark: mark === undefined ? undefined : Math.floor(mark),
      seen: now.wallTime,
      ...(boot !== undefined && { boot }),
      lags: this.#lags.filter(({ until }) => until > (mark ?? 0)),
      agreedFor: Math.floor(this.#agreedFor),
      acceptances: this.#acceptances,
      longestTtl: this.#longestTtl,
    };
  }

  #gapTo(time: number, now: Moment): number {
    const mark = this.markAt(now);
    return mark === undefined ? Number.POSITIVE_INFINITY : time - mark;
  }

  #adopt(stored: ClockRecord, now: Moment): void {
    this.#acceptances = stored.acceptances;
    this.#lags = stored.lags;
    this.#steps = [];
    this.#mark = undefined;
    if (stored.mark !== undefined) this.#setMark(stored.mark, now);
  }

  /** Goes on where a process before this one ended. */
  #continue(stored: ClockRecord, now: Moment, boot: BootTime | undefined): void {
    this.#wasMerged = true;
    this.#learnStepSince(stored, now, boot);
    if (runsOn(stored.seen, now.wallTime, this.#rules)) this.#agreedFor = stored.agreedFor;
    // Nothing was ever placed before the mark, so a step up to it is none that a payload knows of.
    const mark = this.markAt(now);
    if (mark !== undefined && mark > evenTime(this.#anchor, now))
      this.#anchor = { wallTime: mark, monotonicTime: now.monotonicTime };
  }

  /**
   * A step while no process ran, or that the last one could not write any more, shows on the clock of the boot. A bucket's own
   * clock shows it, and a step that is longer than any plausible gap makes deletion wait.
   */
  #learnStepSince({ seen, boot: before, lags }: ClockRecord, now: Moment, boot: BootTime | undefined): void {
    if (this.#rules.storageHasClock || before === undefined || before.id !== boot?.id) return;
    const drift = now.wallTime - (seen + boot.at - before.at);
    if (drift > STEP && drift <= this.#rules.gapLimitMs) this.#stepForward(drift, now);
    const isTakenBack = ({ by }: Lag) => Math.abs(by + drift) <= 2 * STEP;
    if (drift >= -STEP) return;
    this.#forgotten = [...this.#forgotten, ...lags.filter(isTakenBack)].slice(-REMEMBERED);
    this.#lags = this.#lags.filter((lag) => !isTakenBack(lag));
  }

  #stepForward(by: number, now: Moment): void {
    const lifetime = lifetimeOfPlaced(this.#longestTtl, this.#rules);
    const before = this.#lags;
    const made = lagsAfterStep(before, { by, now: now.wallTime, lifetime });
    this.#lags = mergeLags(before, made);
    this.#steps = [...this.#steps, { by, before, made }].slice(-REMEMBERED);
    this.#anchor = now;
  }

  /** A step forwards that is taken back leaves payloads that live longer, and no danger. */
  #takeBack(by: number): void {
    const last = this.#steps.at(-1);
    if (last === undefined || by < last.by - STEP) return;
    this.#undo(last);
    this.#takeBack(by - last.by);
  }

  #undo({ by, before, made }: Step): void {
    const others = this.#lags.filter((lag) => !made.some((own) => isSame(lag, own)));
    this.#lags = mergeLags(before, others);
    this.#forgotten = [...this.#forgotten, ...made].slice(-REMEMBERED);
    this.#steps = this.#steps.slice(0, -1);
    this.#anchor = { ...this.#anchor, wallTime: this.#anchor.wallTime - by };
  }

  /** Nobody places payloads in a bucket by a clock that its own does not confirm. */
  #forgetUnusedSteps(): void {
    if (this.#wasConfirmed) return;
    this.#wasConfirmed = true;
    if (!this.#rules.storageHasClock) return;
    const anchor = this.#anchor;
    for (const step of this.#steps.toReversed()) this.#undo(step);
    this.#anchor = anchor;
  }

  #setMark(time: number, { monotonicTime }: Moment): void {
    this.#mark = { time, monotonicTime };
  }
}

/** What a clock that showed `from` shows at a later moment, if it ran evenly. */
function evenTime(from: Moment, { monotonicTime }: Moment): number {
  return from.wallTime + monotonicTime - from.monotonicTime;
}

function isSame(a: Lag, b: Lag): boolean {
  return a.by === b.by && a.until === b.until;
}
