import { seededRandom } from './random.ts';
import { EVERY_OPERATION, type S3Operation } from './s3-request.ts';

/** Kinds of faults, with the operations that each can concern. */
export const FAULTS = {
  /** the request waits before it is passed on */
  latency: EVERY_OPERATION,
  /** the connection is reset when a part of the request's body has arrived */
  resetRequest: ['put', 'delete'],
  /** the connection is reset in the middle of the answer's body */
  resetResponse: ['get', 'list'],
  error500: EVERY_OPERATION,
  slowDown: EVERY_OPERATION,
  /** the request is taken and never answered */
  blackHole: EVERY_OPERATION,
  /** the answer stops in the middle of its body, the connection stays */
  stall: ['get', 'list'],
  /** the answer ends in the middle of its body, in spite of its Content-Length */
  truncate: ['get', 'list'],
  /** one byte of an object is another one when it arrives */
  wrongBytes: ['get'],
  /** one byte of an object is another one when it is stored */
  alterRequest: ['put'],
  shiftDate: EVERY_OPERATION,
  /** 409 ConditionalRequestConflict */
  conflict: ['put'],
  /** the connection is reset after the backend has done it */
  loseReply: ['put', 'delete'],
  /** some objects of a batch are not deleted, and the answer says so */
  partialDelete: ['delete'],
} as const satisfies Record<string, readonly S3Operation[]>;

export type FaultKind = keyof typeof FAULTS;

export interface FaultRule {
  readonly kind: FaultKind;
  /** of each request that it concerns, 0 to 1 */
  readonly probability: number;
  /** operations that it concerns; by default all that the kind can concern */
  readonly on?: readonly S3Operation[];
  /** number of following requests, among those that the rule concerns, that meet the fault too */
  readonly burst?: number;
  /** holds only during the first `forMs` of each `everyMs` */
  readonly schedule?: { readonly everyMs: number; readonly forMs: number };
  /** `latency`: the longest, in ms */
  readonly upToMs?: number;
  /** `error500`, `slowDown`: the header, in seconds */
  readonly retryAfter?: number;
  /** `shiftDate`: added to the header `Date`, in ms */
  readonly shiftMs?: number;
}

/** A rule that applies to a request. */
export interface Fault {
  readonly rule: FaultRule;
  /** 0 to 1: the position in the body, or the share of the longest delay */
  readonly share: number;
}

/** Decides which request meets which fault. The same seed and the same sequence of requests give the same faults. */
export class FaultDecisions {
  readonly #random: () => number;
  #rules: readonly FaultRule[] = [];
  #burstsLeft = new Map<FaultRule, number>();
  #since = 0;

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  /** @param now ms of a monotonic clock; schedules begin at it */
  setRules(rules: readonly FaultRule[], now: number): void {
    this.#rules = rules;
    this.#burstsLeft = new Map();
    this.#since = now;
  }

  /** The first rule that applies to the request; `undefined`: pass the request on unchanged. */
  decide(operation: S3Operation, now: number): Fault | undefined {
    const rule = this.#rules.find((each) => this.#fallsOn(each, operation, now - this.#since));
    return rule && { rule, share: this.#random() };
  }

  #fallsOn(rule: FaultRule, operation: S3Operation, elapsed: number): boolean {
    const concerned: readonly S3Operation[] = rule.on ?? FAULTS[rule.kind];
    if (!concerned.includes(operation)) return false;
    const { schedule } = rule;
    if (schedule !== undefined && elapsed % schedule.everyMs >= schedule.forMs) return false;
    const left = this.#burstsLeft.get(rule) ?? 0;
    if (left > 0) {
      this.#burstsLeft.set(rule, left - 1);
      return true;
    }
    if (this.#random() >= rule.probability) return false;
    this.#burstsLeft.set(rule, rule.burst ?? 0);
    return true;
  }
}
