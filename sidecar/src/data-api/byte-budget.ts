import { ServiceError } from '../errors.ts';

/** Bounds the memory of all transfers together: a client is turned away before its bytes are taken, not after. */
export class ByteBudget {
  readonly #limit: number;
  #used = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get used(): number {
    return this.#used;
  }

  /** Takes `bytes` of the budget until the returned function is called. @throws ServiceError `busy` */
  reserve(bytes: number): () => void {
    if (this.#used + bytes > this.#limit) {
      throw new ServiceError('busy', 'too many bytes are in transfer; try again shortly');
    }
    this.#used += bytes;
    let held = true;
    return () => {
      if (held) this.#used -= bytes;
      held = false;
    };
  }
}
