/** A poll that waits for its turn. */
export interface WaitingPoll {
  /** stands for the store of the pod */
  readonly store: object;
  /** The pod did not answer the last time, so the poll may take 5 s. */
  readonly wasSilent: boolean;
  /** Resolves when the pod has begun to answer, or the poll has failed. Never rejects. */
  begin(): Promise<void>;
}

/** over all stores; a poll whose answer has begun needs no place any more */
const AT_A_TIME = 20;
/** of them, so that pods which answer find a place however many are silent */
const SILENT_AT_A_TIME = 10;

/**
 * Limits how many pods are asked at the same time. A place goes to the store that has the fewest, so that the pods of one store, be
 * they a thousand, delay no other store.
 */
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
    const running = [...this.#running.keys()];
    const next = ofLeastBusyStore(this.#waiting, running);
    const silentRunning = running.filter(({ wasSilent }) => wasSilent).length;
    if (next !== undefined || silentRunning >= SILENT_AT_A_TIME) return next;
    return ofLeastBusyStore(this.#waitingSilent, running);
  }

  async #run(poll: WaitingPoll): Promise<void> {
    await poll.begin();
    this.#running.delete(poll);
    this.#start();
  }
}

/** The first poll of the store that has the fewest of those that run. */
function ofLeastBusyStore(
  waiting: Iterable<WaitingPoll>,
  running: readonly WaitingPoll[],
): WaitingPoll | undefined {
  let found: WaitingPoll | undefined;
  let fewest = Number.POSITIVE_INFINITY;
  const counts = new Map<object, number>();
  for (const { store } of running) counts.set(store, (counts.get(store) ?? 0) + 1);
  for (const poll of waiting) {
    const count = counts.get(poll.store) ?? 0;
    if (count >= fewest) continue;
    found = poll;
    fewest = count;
    if (count === 0) break;
  }
  return found;
}
