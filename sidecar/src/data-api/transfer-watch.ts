/** How often transfers are looked at: a peer that is too slow is noticed at most this much later (ms). */
const LOOK_INTERVAL = 500;

export interface TransferRules {
  /** ms of waiting for the peer after which it is judged */
  readonly progressPeriod: number;
  /** bytes that a peer has to move in that time */
  readonly progressBytes: number;
}

/** Watches all transfers with one timer: a peer that sends or takes next to nothing must not hold its place for ever. */
export class TransferWatch {
  readonly #rules: TransferRules;
  readonly #transfers = new Set<Transfer>();
  #timer: NodeJS.Timeout | undefined;

  constructor(rules: TransferRules) {
    this.#rules = rules;
  }

  get size(): number {
    return this.#transfers.size;
  }

  /**
   * Begins to watch a transfer; the caller ends it.
   * @param deadline on the monotonic clock, ms; `undefined` for none
   */
  begin(onExpired: (reason: 'slow' | 'deadline') => void, deadline?: number): Transfer {
    const transfer = new Transfer(onExpired, deadline, (ended) => this.#end(ended));
    this.#transfers.add(transfer);
    this.#timer ??= setInterval(() => this.#look(), LOOK_INTERVAL).unref();
    return transfer;
  }

  #end(transfer: Transfer): void {
    this.#transfers.delete(transfer);
    if (this.#transfers.size > 0) return;
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #look(): void {
    const now = performance.now();
    for (const transfer of this.#transfers) transfer.judge(now, this.#rules);
  }
}

/** One transfer. Only time spent waiting for the peer counts against it, never the storage's. */
export class Transfer {
  readonly #onExpired: (reason: 'slow' | 'deadline') => void;
  readonly #deadline: number | undefined;
  readonly #onEnd: (transfer: Transfer) => void;
  #waitingSince: number | undefined;
  #waited = 0;
  #moved = 0;
  #expired = false;

  constructor(
    onExpired: (reason: 'slow' | 'deadline') => void,
    deadline: number | undefined,
    onEnd: (transfer: Transfer) => void,
  ) {
    this.#onExpired = onExpired;
    this.#deadline = deadline;
    this.#onEnd = onEnd;
  }

  /** From here on the peer is waited for. */
  wait(): void {
    this.#waitingSince ??= performance.now();
  }

  /** The peer has sent or taken so many bytes. */
  moved(bytes: number): void {
    this.#moved += bytes;
    if (this.#waitingSince === undefined) return;
    this.#waited += performance.now() - this.#waitingSince;
    this.#waitingSince = undefined;
  }

  end(): void {
    this.#onEnd(this);
  }

  judge(now: number, { progressPeriod, progressBytes }: TransferRules): void {
    if (this.#expired) return;
    if (this.#deadline !== undefined && now > this.#deadline) {
      this.#expire('deadline');
      return;
    }
    const waiting = this.#waitingSince === undefined ? 0 : now - this.#waitingSince;
    if (this.#waited + waiting < progressPeriod) return;
    if (this.#moved < progressBytes) {
      this.#expire('slow');
      return;
    }
    this.#waited = 0;
    this.#moved = 0;
    if (this.#waitingSince !== undefined) this.#waitingSince = now;
  }

  /** It counts until its owner ends it, since until then it holds memory. */
  #expire(reason: 'slow' | 'deadline'): void {
    this.#expired = true;
    this.#onExpired(reason);
  }
}
