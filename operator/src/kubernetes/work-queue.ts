import { Backoff } from './backoff.ts';

const DELAYS = { firstMs: 200, longestMs: 300_000 };

export interface WorkQueueOptions {
  /**
   * Does the work of a key. When it rejects, the key comes again after a delay that doubles with every failure, until
   * it resolves. The signal is that of `run`.
   */
  readonly work: (key: string, signal: AbortSignal) => Promise<void>;
  /** keys worked on at a time */
  readonly concurrency: number;
  /** before the first repetition, and before any */
  readonly delays?: { readonly firstMs: number; readonly longestMs: number };
  readonly onDone?: (outcome: WorkOutcome) => void;
}

export interface WorkOutcome {
  readonly key: string;
  /** from when it was due until it began */
  readonly waitedSeconds: number;
  readonly tookSeconds: number;
  readonly failure: Error | undefined;
  /** until it comes again because of the failure */
  readonly retryInMs: number | undefined;
}

/**
 * Keys to work on, in the order in which they were added. A key that waits is in the queue once, however often it was added, and is
 * never worked on twice at the same time: a key that is added while it is worked on comes again afterwards.
 */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  /** keys that are due, and since when (monotonic) */
  readonly #due = new Map<string, number>();
  readonly #running = new Map<string, Promise<void>>();
  /** keys that were added while they are worked on, and when */
  readonly #again = new Map<string, number>();
  readonly #delayed = new Map<string, { atMs: number; timer: NodeJS.Timeout }>();
  readonly #backoffs = new Map<string, Backoff>();
  #signal: AbortSignal | undefined;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
  }

  /** Keys that are due and wait for their turn. */
  get depth(): number {
    return this.#due.size + this.#again.size;
  }

  /** May be called before `run`. */
  add(key: string): void {
    if (this.#signal?.aborted) return;
    this.#undelay(key);
    const into = this.#running.has(key) ? this.#again : this.#due;
    if (!into.has(key)) into.set(key, performance.now());
    this.#start();
  }

  /** Adds it after that time, unless it is added earlier. */
  addAfter(key: string, delayMs: number): void {
    if (this.#signal?.aborted || this.#due.has(key)) return;
    const atMs = performance.now() + delayMs;
    const earlier = this.#delayed.get(key);
    if (earlier !== undefined && earlier.atMs <= atMs) return;
    this.#undelay(key);
    this.#delayed.set(key, { atMs, timer: setTimeout(() => this.add(key), delayMs) });
  }

  /** Works until the signal is aborted. Resolves when the work that had begun by then has ended. */
  async run(signal: AbortSignal): Promise<void> {
    this.#signal = signal;
    this.#start();
    if (!signal.aborted) {
      await new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    }
    for (const key of this.#delayed.keys()) this.#undelay(key);
    this.#due.clear();
    this.#again.clear();
    await Promise.all(this.#running.values());
  }

  #start(): void {
    const signal = this.#signal;
    if (signal === undefined) return;
    for (const [key, since] of this.#due) {
      if (signal.aborted || this.#running.size >= this.#options.concurrency) return;
      this.#due.delete(key);
      // It begins only after it counts as running, as it may add its own key.
      const work = Promise.resolve().then(() => this.#work(key, since, signal));
      this.#running.set(key, work);
    }
  }

  async #work(key: string, since: number, signal: AbortSignal): Promise<void> {
    const began = performance.now();
    const failure = await this.#outcome(key, signal);
    this.#running.delete(key);
    if (failure === undefined) this.#backoffs.delete(key);
    const retryInMs = failure === undefined || signal.aborted ? undefined : this.#retry(key);
    const again = this.#again.get(key);
    if (this.#again.delete(key) && again !== undefined && !signal.aborted) {
      this.#undelay(key);
      this.#due.set(key, again);
    }
    const ended = performance.now();
    const times = { waitedSeconds: (began - since) / 1_000, tookSeconds: (ended - began) / 1_000 };
    this.#start();
    this.#options.onDone?.({ key, ...times, failure, retryInMs });
  }

  async #outcome(key: string, signal: AbortSignal): Promise<Error | undefined> {
    try {
      await this.#options.work(key, signal);
      return undefined;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  #retry(key: string): number {
    const backoff = this.#backoffs.get(key) ?? new Backoff(this.#options.delays ?? DELAYS);
    this.#backoffs.set(key, backoff);
    const delayMs = backoff.next();
    this.addAfter(key, delayMs);
    return delayMs;
  }

  #undelay(key: string): void {
    clearTimeout(this.#delayed.get(key)?.timer);
    this.#delayed.delete(key);
  }
}
