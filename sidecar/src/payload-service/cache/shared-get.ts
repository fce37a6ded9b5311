import type { StoredBlob } from '../../drivers/driver.ts';
import { IntegrityError } from '../../errors/integrity-error.ts';
import { unlessAborted } from '../../time/unless-aborted.ts';
import { CachedPayload } from './cached-payload.ts';

/** A codec waits 7 s for the first byte, so a payload that arrives slowly is passed on as it arrives after this time. ms */
const LATE_AFTER_MS = 2_000;
/** The first one, and one more after wrong bytes. */
const MOST_ATTEMPTS = 2;

export interface SharedGetSteps {
  /** Asks upstream for the payload. */
  ask(signal: AbortSignal): Promise<StoredBlob>;
  /** Memory for a payload of so many bytes; `undefined`: there is no room. */
  begin(size: number): CachedPayload | undefined;
  /** Takes over a payload that is whole and verified. */
  admit(payload: CachedPayload): void;
  /** Called when wrong bytes came. */
  refuse(): void;
  /** Called, perhaps more than once, when no caller may join any more. */
  close(): void;
}

/**
 * One GET upstream for all callers that want the same payload at the same time. They get the payload when it is whole and
 * verified, or as it arrives if that takes long; wrong bytes that no caller has seen are fetched once more. A caller that
 * leaves does not disturb the others; when the last one leaves, the GET upstream ends.
 */
export class SharedGet {
  readonly #steps: SharedGetSteps;
  readonly #stop = new AbortController();
  readonly #found = Promise.withResolvers<CachedPayload | StoredBlob>();
  readonly #timer: NodeJS.Timeout;
  #callers = 0;
  #isLate = false;
  #isSeen = false;
  #payload: CachedPayload | undefined;
  /** Keeps the memory of the payload until the last caller has left. */
  #hold: StoredBlob | undefined;
  /** A payload for which there is no room, until the first caller takes it. */
  #passing: StoredBlob | undefined;

  constructor(steps: SharedGetSteps) {
    this.#steps = steps;
    this.#timer = setTimeout(() => this.#beLate(), LATE_AFTER_MS).unref();
    // All callers may have left when it fails.
    this.#found.promise.catch(() => {});
    this.#run()
      .then(this.#found.resolve, this.#found.reject)
      .finally(() => this.#close());
  }

  /**
   * The payload for one more caller. `undefined`: there is no room for it, and it was left to another caller.
   * @throws what the GET upstream fails with, IntegrityError after wrong bytes; the signal's reason
   */
  async join(signal: AbortSignal): Promise<StoredBlob | undefined> {
    this.#callers += 1;
    let isHere = true;
    const leave = () => {
      if (isHere) this.#leave();
      isHere = false;
    };
    try {
      const found = await unlessAborted(this.#found.promise, signal);
      if (found instanceof CachedPayload) return found.open(signal, leave);
      if (this.#passing !== undefined) return this.#passOn(this.#passing, signal, leave);
      leave();
      return undefined;
    } catch (error) {
      leave();
      throw error;
    }
  }

  async #run(): Promise<CachedPayload | StoredBlob> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#fetch();
      } catch (error) {
        if (!(error instanceof IntegrityError)) throw error;
        this.#steps.refuse();
        if (attempt === MOST_ATTEMPTS || this.#isSeen) throw error;
      }
    }
  }

  async #fetch(): Promise<CachedPayload | StoredBlob> {
    const { signal } = this.#stop;
    const blob = await this.#steps.ask(signal);
    if (signal.aborted) await blob.close();
    signal.throwIfAborted();
    const payload = this.#steps.begin(blob.size);
    if (payload === undefined) {
      this.#passing = blob;
      return blob;
    }
    this.#keep(payload);
    try {
      await blob.readInto({
        write: (chunk) => {
          signal.throwIfAborted();
          payload.take(chunk);
          return undefined;
        },
      });
      payload.assertComplete();
    } catch (error) {
      // When the next attempt is late, callers get what arrives by that one.
      this.#payload = undefined;
      payload.fail(error);
      payload.drop();
      throw error;
    }
    this.#steps.admit(payload);
    return payload;
  }

  #keep(payload: CachedPayload): void {
    void this.#hold?.close();
    this.#hold = payload.open(this.#stop.signal);
    this.#payload = payload;
    if (this.#isLate) this.#showArriving();
  }

  #beLate(): void {
    this.#isLate = true;
    this.#showArriving();
  }

  #showArriving(): void {
    if (this.#payload === undefined) return;
    this.#isSeen = true;
    this.#found.resolve(this.#payload);
  }

  #passOn(blob: StoredBlob, signal: AbortSignal, leave: () => void): StoredBlob {
    this.#passing = undefined;
    const stop = () => this.#stop.abort(signal.reason);
    signal.addEventListener('abort', stop);
    const end = () => {
      signal.removeEventListener('abort', stop);
      leave();
    };
    return {
      size: blob.size,
      readInto: (sink) => blob.readInto(sink).finally(end),
      close: () => blob.close().finally(end),
    };
  }

  #leave(): void {
    this.#callers -= 1;
    if (this.#callers > 0) return;
    this.#close();
    this.#stop.abort();
    void this.#hold?.close();
    void this.#passing?.close();
  }

  #close(): void {
    clearTimeout(this.#timer);
    this.#steps.close();
  }
}
