import { ServiceError, toServiceError } from '../errors.ts';

/** How long one look at the storage answers for (ms): probes must not become a load. */
const LOOK_LIFETIME = 1_000;

/** Whether this process can serve: asked for, not remembered, so that it tells the truth. */
export class Readiness {
  readonly #check: () => Promise<void>;
  #look: { readonly at: number; readonly result: Promise<void> } | undefined;
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
    if (this.#look === undefined || performance.now() - this.#look.at > LOOK_LIFETIME) {
      this.#look = { at: performance.now(), result: this.#check() };
    }
    try {
      await this.#look.result;
    } catch (error) {
      const known = toServiceError(error);
      if (known.status === 503) throw known;
      throw new ServiceError('storage_unavailable', (error as Error).message, { cause: error });
    }
  }
}
