import { ServiceError, toServiceError } from '../errors.ts';

/** How long one look at the storage answers for (ms): probes must not become a load. */
const LOOK_LIFETIME = 1_000;

/** Whether this process can serve: asked for, not remembered, so that it tells the truth. */
export class Readiness {
  readonly #check: () => Promise<void>;
  #look: { readonly result: Promise<void>; endedAt: number } | undefined;
  #draining = false;

  /** @param check rejects, saying why, when the storage cannot be used */
  constructor(check: () => Promise<void>) {
    this.#check = check;
  }

  get draining(): boolean {
    return this.#draining;
  }

  beginDraining(): void {
    this.#draining = true;
  }

  /** @throws ServiceError of status 503 */
  async assertReady(): Promise<void> {
    if (this.#draining) throw new ServiceError('draining', 'this process is ending');
    if (this.#look === undefined || performance.now() - this.#look.endedAt > LOOK_LIFETIME)
      this.#look = this.#begin();
    try {
      await this.#look.result;
    } catch (error) {
      const known = toServiceError(error);
      if (known.status === 503) throw known;
      throw new ServiceError('storage_unavailable', (error as Error).message, { cause: error });
    }
  }

  /** A storage that does not answer is asked once, however many probes wait. */
  #begin() {
    const look = { result: this.#check(), endedAt: Number.POSITIVE_INFINITY };
    const end = () => {
      look.endedAt = performance.now();
    };
    look.result.then(end, end);
    return look;
  }
}
