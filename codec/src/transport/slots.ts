import { setTimeout as sleep } from 'node:timers/promises';

type Enter = () => void;

/**
 * Bounds how many requests are made at a time, by all calls of one codec together. Calls, each known by its signal, take
 * turns, so that one with few payloads need not wait for one with thousands.
 */
export class Slots {
  #free: number;
  readonly #waiting = new Map<AbortSignal, Set<Enter>>();
  #pausedUntil = 0;

  constructor(count: number) {
    this.#free = count;
  }

  /**
   * Runs `work` when there is a slot for it and the pause of that moment is over.
   * @param onTurn called when there is a slot; returns the milliseconds that a pause may take at most
   * @throws the signal's reason when it is aborted before; `work` is then never run
   */
  async run<Result>(signal: AbortSignal, onTurn: () => number, work: () => Promise<Result>): Promise<Result> {
    signal.throwIfAborted();
    if (this.#free > 0) this.#free -= 1;
    else await this.#turn(signal);
    try {
      await this.#pauseOver(signal, onTurn());
      return await work();
    } finally {
      this.#pass();
    }
  }

  /** Lets no work begin for so many milliseconds: the service asked to be left alone. */
  pause(milliseconds: number): void {
    this.#pausedUntil = Math.max(this.#pausedUntil, performance.now() + milliseconds);
  }

  /** Pauses that are asked for meanwhile are not waited for: answers to others would put a request off without end. */
  async #pauseOver(signal: AbortSignal, longestMs: number): Promise<void> {
    const left = Math.min(this.#pausedUntil - performance.now(), longestMs);
    if (left > 0) await sleep(left, undefined, { signal }).catch(() => signal.throwIfAborted());
  }

  #turn(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      const enter = () => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = () => {
        this.#remove(signal, enter);
        reject(signal.reason);
      };
      const queue = this.#waiting.get(signal) ?? new Set();
      this.#waiting.set(signal, queue.add(enter));
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  #pass(): void {
    const [next] = this.#waiting;
    if (next === undefined) {
      this.#free += 1;
      return;
    }
    const [signal, queue] = next;
    const [enter] = queue as Iterable<Enter>;
    this.#remove(signal, enter as Enter);
    if (queue.size > 0) {
      this.#waiting.delete(signal);
      this.#waiting.set(signal, queue);
    }
    enter?.();
  }

  #remove(signal: AbortSignal, enter: Enter): void {
    const queue = this.#waiting.get(signal);
    queue?.delete(enter);
    if (queue?.size === 0) this.#waiting.delete(signal);
  }
}
