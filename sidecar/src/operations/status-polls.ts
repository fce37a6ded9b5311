import type { StatusReport } from '@largepayload/crds';

const LIMITS = {
  /** callers that may wait at a time; one more is answered at once: of the 64 connections of the metrics port most stay free */
  mostWaiting: 16,
  longestWaitMs: 600_000,
  /** how often the storage is looked at while a caller waits */
  lookIntervalMs: 20_000,
};

export type StatusPollLimits = Readonly<typeof LIMITS>;

interface Waiting {
  readonly since: string;
  /** monotonic */
  readonly untilMs: number;
  readonly answer: (status: StatusReport) => void;
}

/** Keeps callers of `GET /status?since=REVISION` waiting until there is news. */
export class StatusPolls {
  readonly #status: () => Promise<StatusReport>;
  readonly #limits: StatusPollLimits;
  readonly #waiting = new Set<Waiting>();
  #looking: NodeJS.Timeout | undefined;
  #isOver = false;

  constructor(status: () => Promise<StatusReport>, limits: StatusPollLimits = LIMITS) {
    this.#status = status;
    this.#limits = limits;
  }

  /**
   * The report as JSON: once its revision is not `since`, after ten minutes, or at once where too many wait or the process ends. The
   * first byte, a space, comes at once, so that a caller can distinguish a process that waits from a process that hangs.
   * @param left aborted when the caller has gone
   */
  async *answer(since: string, left: AbortSignal): AsyncGenerator<string> {
    yield ' ';
    const status = await this.#status();
    const mustWait = status.revision === since && !this.#isOver && !left.aborted;
    const mayWait = this.#waiting.size < this.#limits.mostWaiting;
    yield JSON.stringify(mustWait && mayWait ? await this.#news(status, left) : status);
  }

  /** Answers all who wait, and keeps no caller waiting from now on. */
  async end(): Promise<void> {
    this.#isOver = true;
    const status = await this.#status();
    for (const { answer } of this.#waiting) answer(status);
  }

  async #news(known: StatusReport, left: AbortSignal): Promise<StatusReport> {
    const { promise, resolve } = Promise.withResolvers<StatusReport>();
    const onLeft = () => waiting.answer(known);
    const waiting: Waiting = {
      since: known.revision,
      untilMs: performance.now() + this.#limits.longestWaitMs,
      answer: (status) => {
        left.removeEventListener('abort', onLeft);
        this.#waiting.delete(waiting);
        if (this.#waiting.size === 0) {
          clearInterval(this.#looking);
          this.#looking = undefined;
        }
        resolve(status);
      },
    };
    left.addEventListener('abort', onLeft);
    this.#waiting.add(waiting);
    this.#looking ??= setInterval(() => void this.#look(), this.#limits.lookIntervalMs);
    return await promise;
  }

  async #look(): Promise<void> {
    const status = await this.#status();
    const nowMs = performance.now();
    for (const { since, untilMs, answer } of this.#waiting) {
      if (status.revision !== since || nowMs >= untilMs) answer(status);
    }
  }
}
