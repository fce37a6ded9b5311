/** ms of waiting that the rate is taken over, at least: the kernel's buffers take the first megabytes of any peer. */
const RECENT = 1_000;
/** Bytes a second that a peer has to move while others wait for its place, at first … */
const LEAST_RATE = 16 * 1024;
/** … doubled each time it was waited for so long (ms) … */
const RATE_DOUBLES = 10_000;
/** … up to so many: a peer that moves more may keep its place for as long as the transfer takes. */
const MOST_RATE = 256 * 1024;

/** The rate that keeps a place while others wait. @param age ms that the peer was waited for */
export function leastRate(age: number): number {
  return Math.min(MOST_RATE, LEAST_RATE * 2 ** (age / RATE_DOUBLES));
}

/**
 * Whether a transfer may be ended so that others get its place. One of a peer that has more than its share may, whatever its
 * rate, unless it never had to be waited for. A peer that was not read for a while may need as long again to notice that it
 * is: the time until its TCP tries again doubles with each try (RFC 6298, 5.5; RFC 9293, 3.8.6.1).
 * @param excess bytes by which the peer exceeds its share
 * @param delayedMs how long the peer was not read
 */
export function mayMakeRoom(
  { rate, age }: { rate: number; age: number },
  excess: number,
  delayedMs = 0,
): boolean {
  if (age < RECENT + delayedMs) return false;
  return excess > 0 || rate < leastRate(age);
}

export interface TransferRules {
  /** ms of waiting for the peer after which it is judged */
  readonly progressPeriodMs: number;
  /** bytes that a peer has to move in that time */
  readonly progressBytes: number;
}

interface Mark {
  readonly waited: number;
  readonly moved: number;
}

/** What a peer moved in the time that it was waited for. Times in ms. */
export class Progress {
  #waitingSince: number | undefined;
  #waited = 0;
  #moved = 0;
  /** where the period began by which the peer is judged, and where the two latest ones did that its rate is taken over */
  #period: Mark = { waited: 0, moved: 0 };
  #earlier: Mark = { waited: 0, moved: 0 };
  #later: Mark = { waited: 0, moved: 0 };

  wait(now: number): void {
    this.#waitingSince ??= now;
  }

  moved(bytes: number, now: number): void {
    this.#moved += bytes;
    if (this.#waitingSince === undefined) return;
    this.#count(now);
    this.#waitingSince = undefined;
  }

  get waited(): number {
    return this.#waited;
  }

  /** Bytes a second, as of the last look; without bound for one that was hardly waited for. */
  get rate(): number {
    const waited = this.#waited - this.#earlier.waited;
    if (waited < RECENT) return Number.POSITIVE_INFINITY;
    return ((this.#moved - this.#earlier.moved) / waited) * 1_000;
  }

  /** Looks at what was moved so far; whether the peer moved less than it has to in the period that is over. */
  look(now: number, { progressPeriodMs, progressBytes }: TransferRules): boolean {
    if (this.#waitingSince !== undefined) this.#count(now);
    const mark = { waited: this.#waited, moved: this.#moved };
    if (mark.waited - this.#later.waited >= RECENT) {
      this.#earlier = this.#later;
      this.#later = mark;
    }
    if (mark.waited - this.#period.waited < progressPeriodMs) return false;
    if (mark.moved - this.#period.moved < progressBytes) return true;
    this.#period = mark;
    return false;
  }

  #count(now: number): void {
    this.#waited += now - (this.#waitingSince ?? now);
    this.#waitingSince = now;
  }
}
