import { ServiceError } from '../errors.ts';
import type { CodecLimits } from './limits.ts';

type GateLimits = Pick<CodecLimits, 'concurrentCalls' | 'waitingCalls' | 'waitTime'>;

/** Lets a few calls in at a time; the others wait in the order of their arrival, for a while. */
export class WorkGate {
  readonly #limits: GateLimits;
  readonly #waiting = new Set<() => void>();
  #inside = 0;

  constructor(limits: GateLimits) {
    this.#limits = limits;
  }

  /**
   * Resolves when it is the caller's turn, with a function that ends it.
   * @throws ServiceError `busy` when too many wait or it takes too long; the signal's reason
   */
  async enter(signal: AbortSignal): Promise<() => void> {
    signal.throwIfAborted();
    if (this.#inside >= this.#limits.concurrentCalls) await this.#turn(signal);
    else this.#inside += 1;
    let left = false;
    return () => {
      if (!left) this.#leave();
      left = true;
    };
  }

  #turn(signal: AbortSignal): Promise<void> {
    if (this.#waiting.size >= this.#limits.waitingCalls) throw busy('too many calls wait already');
    return new Promise((resolve, reject) => {
      const stopWaiting = () => {
        this.#waiting.delete(enter);
        clearTimeout(timer);
        signal.removeEventListener('abort', leave);
      };
      const enter = () => {
        stopWaiting();
        resolve();
      };
      const leave = () => {
        stopWaiting();
        reject(signal.reason);
      };
      const timer = setTimeout(() => {
        stopWaiting();
        reject(busy('the calls before this one take too long'));
      }, this.#limits.waitTime);
      signal.addEventListener('abort', leave);
      this.#waiting.add(enter);
    });
  }

  /** The place goes to the one that waits longest, so that none who arrives now is quicker. */
  #leave(): void {
    const [next] = this.#waiting;
    if (next === undefined) this.#inside -= 1;
    else next();
  }
}

function busy(why: string): ServiceError {
  return new ServiceError('busy', `${why}; try again shortly`);
}
