import type { FailsPutsOnly } from '../../errors/fails-puts-only.ts';
import { StorageError } from '../../errors/storage-error.ts';

/** How long the result of a trial is used: it is a write, and probes and polls ask every second. */
const TRIAL_LIFETIME_MS = 10_000;

/** A storage that was found, and is full: what it has can be served. */
export class NoRoomError extends StorageError implements FailsPutsOnly {
  readonly failsPutsOnly = true;

  constructor(cause: StorageError) {
    super('full', cause.message, { cause });
    this.name = 'NoRoomError';
  }
}

/**
 * Knows whether the storage takes writes. No read shows that: the right to put, the key of the encryption or the last free byte
 * may be lost while all else works. As long as payloads are stored, nothing is written for it. After a PUT that the storage
 * failed, a trial shows whether the failure lasts, so that its end is noticed without a client.
 */
export class WriteWatch {
  readonly #tryWrite: () => Promise<void>;
  #doubted = false;
  #trial: { readonly result: Promise<void>; readonly begun: number } | undefined;

  /** @param tryWrite rejects, saying why, when the storage takes no writes */
  constructor(tryWrite: () => Promise<void>) {
    this.#tryWrite = tryWrite;
  }

  /** Passes the outcome of a put on, and draws its conclusions. A put that `signal` ends proves nothing about the storage. */
  async observe(
    put: () => Promise<'created' | 'existed'>,
    signal: AbortSignal,
  ): Promise<'created' | 'existed'> {
    try {
      const outcome = await put();
      // For a hit nothing was written.
      if (outcome === 'created') this.#doubted = false;
      return outcome;
    } catch (error) {
      if (error instanceof StorageError && !signal.aborted) this.#doubted = true;
      throw error;
    }
  }

  /** Returns at once unless the storage failed to take the last payload. @throws StorageError while it takes no writes, NoRoomError when it is full */
  async check(): Promise<void> {
    if (!this.#doubted) return;
    const now = performance.now();
    if (this.#trial === undefined || now - this.#trial.begun > TRIAL_LIFETIME_MS)
      this.#trial = { result: this.#tryWrite().catch(throwNoRoom), begun: now };
    await this.#trial.result;
    this.#doubted = false;
  }
}

function throwNoRoom(error: unknown): never {
  throw error instanceof StorageError && error.failure === 'full' ? new NoRoomError(error) : error;
}
