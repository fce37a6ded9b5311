import { setTimeout as sleep } from 'node:timers/promises';
import type { Credentials } from './credentials-source.ts';

/** New credentials are asked for this long before the old ones end. Meanwhile the old ones are used. */
const RENEWED_BEFORE_END_MS = 300_000;
/** After the source answered or failed it is not asked again for this time. */
const PAUSE_MS = 1_000;

/**
 * Keeps credentials, and asks for new ones before they end. A source that is down does no harm while its last
 * credentials are good. It is asked by one request at a time.
 */
export class CredentialsRenewal {
  readonly #load: () => Promise<Credentials>;
  readonly #pauseMs: number;
  #last: Credentials | undefined;
  #renewal: Promise<Credentials> | undefined;

  constructor(load: () => Promise<Credentials>, pauseMs = PAUSE_MS) {
    this.#load = load;
    this.#pauseMs = pauseMs;
  }

  /** @throws the error of the source, when no credentials are good */
  async get(): Promise<Credentials> {
    if (this.#last !== undefined && isGoodFor(this.#last, RENEWED_BEFORE_END_MS)) return this.#last;
    const renewal = this.#renew();
    return this.#last !== undefined && isGoodFor(this.#last, 0) ? this.#last : await renewal;
  }

  /** Credentials that have ended by this machine's clock when they arrive are used all the same: the storage's clock decides. */
  #renew(): Promise<Credentials> {
    if (this.#renewal !== undefined) return this.#renewal;
    const renewal = this.#load();
    this.#renewal = renewal;
    const again = async () => {
      await sleep(this.#pauseMs, undefined, { ref: false });
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

function isGoodFor({ expiration }: Credentials, timeMs: number): boolean {
  return expiration === undefined || expiration.getTime() - Date.now() > timeMs;
}
