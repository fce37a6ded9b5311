/** One that waits until there is room to put it. */
export interface PodQuestion {
  /** There was no answer last time, so that there may be none for 5 s. */
  readonly wasSilent: boolean;
  /** Never rejects. */
  ask(): Promise<void>;
}

/** over all stores */
const AT_A_TIME = 20;
/** of them; the rest is kept for who answers */
const SILENT_AT_A_TIME = 10;

/** Puts questions beside the reconciliations: so many at a time, and however many pods are silent, others are asked. */
export class PodQuestions {
  readonly #waiting = new Set<PodQuestion>();
  readonly #waitingSilent = new Set<PodQuestion>();
  readonly #running = new Map<PodQuestion, Promise<void>>();

  put(question: PodQuestion): void {
    this.#queueOf(question).add(question);
    this.#start();
  }

  /** @returns whether it still waited; it is forgotten then */
  withdraw(question: PodQuestion): boolean {
    return this.#queueOf(question).delete(question);
  }

  /** Resolves when no question is under way and none waits. */
  async settled(): Promise<void> {
    while (this.#running.size > 0) await Promise.all(this.#running.values());
  }

  #queueOf({ wasSilent }: PodQuestion): Set<PodQuestion> {
    return wasSilent ? this.#waitingSilent : this.#waiting;
  }

  #start(): void {
    for (let next = this.#next(); next !== undefined; next = this.#next()) {
      this.#queueOf(next).delete(next);
      this.#running.set(next, this.#run(next));
    }
  }

  #next(): PodQuestion | undefined {
    if (this.#running.size >= AT_A_TIME) return undefined;
    const [next] = this.#waiting;
    const silentRunning = [...this.#running.keys()].filter(({ wasSilent }) => wasSilent).length;
    if (next !== undefined || silentRunning >= SILENT_AT_A_TIME) return next;
    const [silent] = this.#waitingSilent;
    return silent;
  }

  async #run(question: PodQuestion): Promise<void> {
    await question.ask();
    this.#running.delete(question);
    this.#start();
  }
}
