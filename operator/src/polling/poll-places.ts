/** A poll that waits for its turn. */
export interface WaitingPoll {
  /** The pod did not answer the last time, so the poll may take 5 s. */
  readonly wasSilent: boolean;
  /** Resolves when the pod has begun to answer, or the poll has failed. Never rejects. */
  begin(): Promise<void>;
}

/** over all stores; a poll whose answer has begun needs no place any more */
const AT_A_TIME = 20;
/** of them, so that pods which answer find a place however many are silent */
const SILENT_AT_A_TIME = 10;

/** Limits how many pods are asked at the same time. */
export class PollPlaces {
  readonly #waiting = new Set<WaitingPoll>();
  readonly #waitingSilent = new Set<WaitingPoll>();
  readonly #running = new Map<WaitingPoll, Promise<void>>();

  put(poll: WaitingPoll): void {
    this.#queueOf(poll).add(poll);
    this.#start();
  }

  /** @returns whether it still waited; it is forgotten then */
  withdraw(poll: WaitingPoll): boolean {
    return this.#queueOf(poll).delete(poll);
  }

  /** Resolves when no place is taken and no poll waits. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }

  #queueOf({ wasSilent }: WaitingPoll): Set<WaitingPoll> {
    return wasSilent ? this.#waitingSilent : this.#waiting;
  }

  #start(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      this.#queueOf(next).delete(next);
      this.#running.set(next, this.#run(next));
    }
  }

  #next(): WaitingPoll | undefined {
    if (this.#running.size >= AT_A_TIME) return undefined;
    const [next] = this.#waiting;
    const silentRunning = [...this.#running.keys()].filter(({ wasSilent }) => wasSilent).length;
    if (next !== undefined || silentRunning >= SILENT_AT_A_TIME) return next;
    const [silent] = this.#waitingSilent;
    return silent;
  }

  async #run(poll: WaitingPoll): Promise<void> {
    await poll.begin();
    this.#running.delete(poll);
    this.#start();
  }
}
