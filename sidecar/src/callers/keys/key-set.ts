import { excerpt } from '../../errors/excerpt.ts';
import { ServiceError } from '../../errors/service-error.ts';
import type { Log } from '../../log/log.ts';
import { elapsedSince, type Moment, momentNow } from '../../time/moment.ts';
import { refused } from '../token-refused.ts';
import type { IssuerKey, ReadKeys } from './key-document.ts';

/** Keys that are older are fetched again when they are used. An issuer publishes a new key before it signs with it. */
const FRESH_MS = 600_000;
/** An issuer is asked no more often than this, whatever tokens come. */
const PAUSE_MS = 10_000;
/** The same while there are no keys at all. */
const FIRST_PAUSE_MS = 1_000;
/** A fetch may take this long: codecs wait 7 s for the first byte of an answer. */
const FETCH_LIMIT_MS = 5_000;
/** Tokens that wait for a fetch; further ones are refused at once. */
const MOST_WAITING = 64;

export interface LoadedKeys extends ReadKeys {
  /** as tokens name it (claim iss) */
  readonly issuer: string;
}

/** Where the keys of an issuer come from. */
export interface KeySource {
  /** for people; the address of the issuer */
  readonly name: string;
  /** as tokens name it (claim iss); `undefined`: known only with the keys */
  readonly issuer: string | undefined;
  /** @throws Error that says what is wrong, with the address */
  load(signal: AbortSignal): Promise<LoadedKeys>;
}

/** The times above. */
export interface KeySetTimes {
  readonly freshMs: number;
  readonly pauseMs: number;
  readonly limitMs: number;
}

/**
 * The keys of one issuer. They are fetched when they are needed, by one request at a time; no timer runs. The last good
 * ones are kept when a fetch fails.
 */
export class KeySet {
  readonly #source: KeySource;
  readonly #log: Log;
  readonly #times: KeySetTimes;
  readonly #stop = new AbortController();
  #loaded: { readonly keys: LoadedKeys; readonly at: Moment } | undefined;
  #fetch: Promise<void> | undefined;
  #fetchEnded: Moment | undefined;
  /** of the last fetch */
  #failure: string | undefined;
  #waiting = 0;

  constructor(source: KeySource, log: Log, times: Partial<KeySetTimes> = {}) {
    this.#source = source;
    this.#log = log;
    this.#times = { freshMs: FRESH_MS, pauseMs: PAUSE_MS, limitMs: FETCH_LIMIT_MS, ...times };
  }

  /** as tokens name it; `undefined`: not known yet */
  get issuer(): string | undefined {
    return this.#loaded?.keys.issuer ?? this.#source.issuer;
  }

  get name(): string {
    return this.#source.name;
  }

  /** ms since the keys were fetched; `undefined`: they never were */
  get ageMs(): number | undefined {
    return this.#loaded && elapsedSince(this.#loaded.at);
  }

  /** Whether the issuer still publishes the key, as far as we know. */
  holds({ id, key }: IssuerKey): boolean {
    this.refresh();
    return this.#loaded?.keys.keys.get(id)?.key === key;
  }

  /** Begins to fetch the keys when there are none, or old ones, and it is time to. */
  refresh(): void {
    if (this.#loaded === undefined || elapsedSince(this.#loaded.at) > this.#times.freshMs)
      void this.#fetchSoon();
  }

  /** @throws ServiceError `token_keys_unavailable` while there are no keys */
  assertLoaded(): void {
    this.refresh();
    if (this.#loaded === undefined) throw this.#unavailable();
  }

  /** As `assertLoaded`, after the fetch that is under way. */
  async load(): Promise<void> {
    this.refresh();
    if (this.#loaded === undefined) await this.#waitForFetch();
    this.assertLoaded();
  }

  /**
   * The key of this name. One that is not known may be new, so the keys are fetched again.
   * @throws ServiceError `token_refused`, `token_keys_unavailable`
   */
  async find(id: string): Promise<IssuerKey> {
    this.refresh();
    const known = this.#loaded?.keys.keys.get(id);
    if (known !== undefined) return known;
    void this.#fetchSoon();
    await this.#waitForFetch();
    const found = this.#loaded?.keys.keys.get(id);
    if (found !== undefined) return found;
    if (this.#loaded === undefined || this.#failure !== undefined) throw this.#unavailable();
    throw refused(`its key (kid ${excerpt(id)}) is none of the issuer ${this.#source.name}`);
  }

  close(): void {
    this.#stop.abort(new Error('this process is ending'));
  }

  async #waitForFetch(): Promise<void> {
    if (this.#fetch === undefined || this.#waiting >= MOST_WAITING) return;
    this.#waiting += 1;
    await this.#fetch;
    this.#waiting -= 1;
  }

  /** One fetch at a time, with a pause after it. Never rejects. */
  #fetchSoon(): Promise<void> | undefined {
    const pauseMs =
      this.#loaded === undefined ? Math.min(FIRST_PAUSE_MS, this.#times.pauseMs) : this.#times.pauseMs;
    const isPause = this.#fetchEnded !== undefined && elapsedSince(this.#fetchEnded) < pauseMs;
    if (isPause || this.#stop.signal.aborted) return this.#fetch;
    this.#fetch ??= this.#load().finally(() => {
      this.#fetch = undefined;
      this.#fetchEnded = momentNow();
    });
    return this.#fetch;
  }

  async #load(): Promise<void> {
    const limit = AbortSignal.timeout(this.#times.limitMs);
    try {
      const loaded = await this.#source.load(AbortSignal.any([limit, this.#stop.signal]));
      this.#take(loaded);
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      const late = `${this.#source.name}: no answer within ${this.#times.limitMs / 1_000} s`;
      this.#fail(limit.aborted ? late : (error as Error).message);
    }
  }

  #take(loaded: LoadedKeys): void {
    const before = this.#loaded?.keys;
    // A key that is as before stays the same object, by which verified tokens know that it is still there.
    const keys = new Map([...loaded.keys].map(([id, key]) => [id, sameAs(before?.keys.get(id), key) ?? key]));
    this.#loaded = { keys: { ...loaded, keys }, at: momentNow() };
    const isChanged =
      [...keys].some(([id, key]) => before?.keys.get(id) !== key) || before?.keys.size !== keys.size;
    const { issuer, leftOut } = loaded;
    if (isChanged || this.#failure !== undefined) {
      for (const reason of leftOut)
        this.#log.warn({ issuer, reason }, 'a key of an issuer of tokens is left out');
      this.#log.info({ issuer, kids: [...keys.keys()] }, 'the keys of an issuer of tokens were loaded');
    }
    this.#failure = undefined;
  }

  #fail(reason: string): void {
    const kept = this.#loaded === undefined ? 'there are none yet' : 'the last ones are kept';
    if (reason !== this.#failure)
      this.#log.warn(
        { issuer: this.#source.name, reason },
        `the keys of an issuer of tokens cannot be loaded; ${kept}`,
      );
    this.#failure = reason;
  }

  #unavailable(): ServiceError {
    const { name } = this.#source;
    const reason = this.#failure ?? 'it has not answered yet';
    return new ServiceError(
      'token_keys_unavailable',
      `the keys that verify tokens of ${name} cannot be loaded: ${reason}`,
      this.#loaded === undefined ? { reason: { name: 'TokenKeysMissing', issuer: name } } : {},
    );
  }
}

function sameAs(before: IssuerKey | undefined, now: IssuerKey): IssuerKey | undefined {
  const isSame = before !== undefined && before.algorithm === now.algorithm && before.key.equals(now.key);
  return isSame ? before : undefined;
}
