import { setTimeout as sleep } from 'node:timers/promises';
import type { Credentials } from './credentials-source.ts';

/** ms before their end from which on new credentials are asked for; the old ones go on being used meanwhile */
const RENEWED_BEFORE_END = 300_000;
/** ms for which the source is not asked again after it answered or failed */
const PAUSE = 1_000;

/**
 * Keeps credentials, and asks for new ones before they end. A source that is down does no harm while what it gave last
 * is good, and is asked by one request at a time.
 */
export class CredentialsRenewal {
  readonly #load: () => Promise<Credentials>;
  readonly #pause: number;
  #last: Credentials | undefined;
  #renewal: Promise<Credentials> | undefined;

  constructor(load: () => Promise<Credentials>, pause = PAUSE) {
    this.#load = load;
    this.#pause = pause;
  }

  /** @throws what loading them throws, when there are none that are good */
  async get(): Promise<Credentials> {
    if (this.#last !== undefined && isGoodFor(this.#last, RENEWED_BEFORE_END)) return this.#last;
    const renewal = this.#renew();
    return this.#last !== undefined && isGoodFor(this.#last, 0) ? this.#last : await renewal;
  }

  /** What looks ended by this machine's clock as soon as it is given is used all the same: the storage's clock decides. */
  #renew(): Promise<Credentials> {
    if (this.#renewal !== undefined) return this.#renewal;
    const renewal = this.#load();
    this.#renewal = renewal;
    const again = async () => {
      await sleep(this.#pause, undefined, { ref: false });
      this.#renewal = undefined;
    };
    renewal
      .then(
        (credentials) => {
          this.#last = credentials;
        },
        () => {},
      )
      .then(again);
    return renewal;
  }
}

function isGoodFor({ expiration }: Credentials, time: number): boolean {
  return expiration === undefined || expiration.getTime() - Date.now() > time;
}
