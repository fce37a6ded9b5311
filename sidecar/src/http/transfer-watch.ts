import type { Demand } from './fair-budget.ts';
import { mayMakeRoom, Progress, type TransferRules } from './transfer-progress.ts';

/** How often transfers are looked at: a peer that is too slow is noticed at most this much later (ms). */
const LOOK_INTERVAL = 500;
/** Requests that waited in line for less (ms) end no transfer: a transfer that moves frees its place by itself. */
const PATIENCE = 500;

/**
 * Why a transfer is over: its peer moves next to nothing, it moves too little while others wait for the place, or its time is
 * up.
 */
export type Expiry = 'slow' | 'contended' | 'deadline';

export interface TransferSettings {
  readonly peer: string;
  /** what it holds of the budget */
  readonly units: number;
  readonly onExpired: (reason: Expiry) => void;
  /** on the monotonic clock, ms */
  readonly deadline?: number;
  /** ms that the peer's body was not read before the transfer began. Default 0 */
  readonly delayedMs?: number;
}

/** Watches all transfers with one timer: a peer that sends or takes next to nothing must not hold its place for ever. */
export class TransferWatch {
  readonly #rules: TransferRules;
  readonly #demand: () => Demand | undefined;
  readonly #transfers = new Set<Transfer>();
  #timer: NodeJS.Timeout | undefined;

  /** @param demand what waits in line for the places of transfers */
  constructor(rules: TransferRules, demand: () => Demand | undefined) {
    this.#rules = rules;
    this.#demand = demand;
  }

  get size(): number {
    return this.#transfers.size;
  }

  /** Begins to watch a transfer; the caller ends it. */
  begin(settings: TransferSettings): Transfer {
    const transfer = new Transfer(settings, (ended) => this.#end(ended));
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
    const demand = this.#demand();
    if (demand !== undefined && now - demand.since >= PATIENCE) this.#makeRoom(demand);
  }

  /** Ends the slowest of those that may be ended, as many as are needed. */
  #makeRoom(demand: Demand): void {
    const transfers = [...this.#transfers];
    const ending = transfers.filter(({ expired }) => expired);
    let missing = demand.units - ending.reduce((sum, { settings }) => sum + settings.units, 0);
    const excess = new Map<string, number>();
    const slowestFirst = transfers.filter(({ expired }) => !expired).sort((a, b) => a.rate - b.rate);
    for (const transfer of slowestFirst) {
      if (missing <= 0) return;
      const { peer, units } = transfer.settings;
      const over = excess.get(peer) ?? demand.excessOf(peer);
      if (!mayMakeRoom(transfer, over, transfer.settings.delayedMs)) continue;
      excess.set(peer, over - units);
      missing -= units;
      transfer.expire('contended');
    }
  }
}

/** One transfer. Only time spent waiting for the peer counts against it, never the storage's. */
export class Transfer {
  readonly settings: TransferSettings;
  /** It counts until its owner ends it, since until then it holds memory. */
  expired = false;
  readonly #onEnd: (transfer: Transfer) => void;
  readonly #progress = new Progress();

  constructor(settings: TransferSettings, onEnd: (transfer: Transfer) => void) {
    this.settings = settings;
    this.#onEnd = onEnd;
  }

  /** bytes that the peer lately moved in a second of being waited for */
  get rate(): number {
    return this.#progress.rate;
  }

  /** ms that the peer was waited for */
  get age(): number {
    return this.#progress.waited;
  }

  /** From here on the peer is waited for. */
  wait(): void {
    this.#progress.wait(performance.now());
  }

  /** The peer has sent or taken so many bytes. */
  moved(bytes: number): void {
    this.#progress.moved(bytes, performance.now());
  }

  /** The peer is waited for no more: it has sent all that it had to. */
  rest(): void {
    this.moved(0);
  }

  end(): void {
    this.#onEnd(this);
  }

  judge(now: number, rules: TransferRules): void {
    if (this.expired) return;
    const { deadline } = this.settings;
    if (deadline !== undefined && now > deadline) this.expire('deadline');
    else if (this.#progress.look(now, rules)) this.expire('slow');
  }

  expire(reason: Expiry): void {
    this.expired = true;
    this.settings.onExpired(reason);
  }
}
