import { ServiceError } from '../errors/service-error.ts';

export interface FairBudgetRules {
  /** units that are given out at a time: bytes, or calls */
  readonly limit: number;
  /** a request that waits longer for its turn is refused; ms */
  readonly waitTimeMs: number;
  /** requests that wait at a time; further requests are refused */
  readonly mostWaiting: number;
}

/** The units that the requests in line wait for. */
export interface Demand {
  /** since when the first request waits; monotonic clock, ms */
  readonly since: number;
  /** how many units the requests want together */
  readonly units: number;
  /** By how many units a peer exceeds its share while others wait; 0 where it does not. */
  excessOf(peer: string): number;
}

interface Waiting {
  readonly peer: string;
  readonly units: number;
  readonly since: number;
  readonly enter: () => void;
  readonly refuse: (why: string) => void;
}

/**
 * Gives out a limited number of units. When none are left, requests wait in line for a while. The peer that holds the least is
 * next, so a peer with many requests delays itself and not the others. A peer that is alone may hold all units.
 */
export class FairBudget {
  readonly #rules: FairBudgetRules;
  readonly #held = new Map<string, number>();
  /** in the order of their arrival */
  readonly #line = new Set<Waiting>();
  #used = 0;
  #paused = false;

  constructor(rules: FairBudgetRules) {
    this.#rules = rules;
  }

  get used(): number {
    return this.#used;
  }

  /** `undefined`: no request waits. */
  get demand(): Demand | undefined {
    const [first] = this.#line;
    if (first === undefined) return undefined;
    let units = 0;
    for (const waiting of this.#line) units += waiting.units;
    return { since: first.since, units, excessOf: (peer) => this.#excessOf(peer) };
  }

  /**
   * Resolves once the peer has the units, with a function that gives them back.
   * @param deadline on the monotonic clock, ms: the request waits no longer
   * @throws ServiceError `busy` when too many wait or it takes too long; the signal's reason
   */
  async reserve(
    peer: string,
    wanted: number,
    signal: AbortSignal,
    deadline = Number.POSITIVE_INFINITY,
  ): Promise<() => void> {
    signal.throwIfAborted();
    const units = Math.min(wanted, this.#rules.limit);
    if (this.#line.size === 0 && this.#fits(units)) this.#take(peer, units);
    else await this.#turn(peer, units, signal, deadline);
    let held = true;
    return () => {
      if (held) this.#giveBack(peer, units);
      held = false;
    };
  }

  /** Until `resume`, all requests wait in line. */
  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#serve();
  }

  #turn(peer: string, units: number, signal: AbortSignal, deadline: number): Promise<void> {
    if (this.#line.size >= this.#rules.mostWaiting) this.#makeRoomFor(peer);
    return new Promise((resolve, reject) => {
      const leave = (reason: unknown) => {
        this.#line.delete(waiting);
        clearTimeout(timer);
        signal.removeEventListener('abort', onAbort);
        if (reason !== undefined) reject(reason);
      };
      const onAbort = () => {
        leave(signal.reason);
        this.#serve();
      };
      const refuse = (why: string) => leave(busy(why));
      const enter = () => {
        leave(undefined);
        this.#take(peer, units);
        resolve();
      };
      const waiting: Waiting = { peer, units, since: performance.now(), enter, refuse };
      const timer = setTimeout(
        () => {
          refuse('the requests before this one take too long');
          this.#serve();
        },
        Math.max(0, Math.min(this.#rules.waitTimeMs, deadline - performance.now())),
      );
      signal.addEventListener('abort', onAbort);
      this.#line.add(waiting);
      this.#serve();
    });
  }

  /** Refuses the newest request of the peer that has the most in line. @throws ServiceError `busy` when that is this peer */
  #makeRoomFor(peer: string): void {
    const counts = new Map<string, number>([[peer, 1]]);
    for (const waiting of this.#line) counts.set(waiting.peer, (counts.get(waiting.peer) ?? 0) + 1);
    const [largest] = [...counts].reduce((most, other) => (other[1] > most[1] ? other : most));
    const last = [...this.#line].findLast((waiting) => waiting.peer === largest);
    if (largest === peer || last === undefined) throw busy('too many requests wait already');
    last.refuse('too many requests wait already');
  }

  #serve(): void {
    for (let next = this.#next(); next !== undefined && this.#fits(next.units); next = this.#next())
      next.enter();
  }

  /** The request whose peer holds the least; of several, the one that waits longest. None is overtaken because it wants many units. */
  #next(): Waiting | undefined {
    let next: Waiting | undefined;
    let least = Number.POSITIVE_INFINITY;
    for (const waiting of this.#line) {
      const held = this.#held.get(waiting.peer) ?? 0;
      if (held >= least) continue;
      next = waiting;
      least = held;
    }
    return next;
  }

  #excessOf(peer: string): number {
    const peers = new Set(this.#held.keys());
    let othersWait = false;
    for (const waiting of this.#line) {
      peers.add(waiting.peer);
      othersWait ||= waiting.peer !== peer;
    }
    const share = this.#rules.limit / peers.size;
    return othersWait ? Math.max(0, (this.#held.get(peer) ?? 0) - share) : 0;
  }

  #fits(units: number): boolean {
    return !this.#paused && this.#used + units <= this.#rules.limit;
  }

  #take(peer: string, units: number): void {
    this.#used += units;
    this.#held.set(peer, (this.#held.get(peer) ?? 0) + units);
  }

  #giveBack(peer: string, units: number): void {
    this.#used -= units;
    // The units still count for this peer here, so that a peer which holds all of them is not served next again.
    this.#serve();
    const rest = (this.#held.get(peer) ?? 0) - units;
    if (rest > 0) this.#held.set(peer, rest);
    else this.#held.delete(peer);
  }
}

function busy(why: string): ServiceError {
  return new ServiceError('busy', `${why}; try again shortly`);
}
