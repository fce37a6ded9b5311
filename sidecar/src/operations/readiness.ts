import { ServiceError } from '../errors/service-error.ts';
import { StorageError } from '../errors/storage-error.ts';
import { toServiceError } from '../errors/to-service-error.ts';
import { errorBody } from '../http/error-answers.ts';
import { ClockBehindError } from '../storage-records/clock/clock-guard.ts';
import { NoRoomError } from '../storage-records/write-check/write-watch.ts';

/** How long one look at the storage answers for (ms): probes must not become a load. */
const LOOK_LIFETIME = 1_000;
/** How long a report, as in `/status`, may take (ms); whoever asks for one must wait longer, or never learns why. */
export const REPORT_LIMIT = 3_000;

export type ReadinessReport =
  | { readonly ready: true }
  | ({ readonly ready: false } & ReturnType<typeof errorBody>);

/**
 * Whether this process can serve. With `latch`, `assertReady` asks until the first success only: a storage that several
 * processes share must not, when it fails for a moment, take all of them out of their Service.
 */
export class Readiness {
  readonly #check: () => Promise<void>;
  readonly #latch: boolean;
  #look: { readonly result: Promise<void>; endedAt: number } | undefined;
  #latched = false;
  #draining = false;

  /** @param check rejects, saying why, when the storage cannot be used */
  constructor(check: () => Promise<void>, { latch = false }: { latch?: boolean } = {}) {
    this.#check = check;
    this.#latch = latch;
  }

  beginDraining(): void {
    this.#draining = true;
  }

  /** Whether clients should be sent here: also for what a storage has that takes no more now. @throws ServiceError of status 503 */
  async assertReady(): Promise<void> {
    this.#assertNotDraining();
    if (this.#latched) return;
    try {
      await this.#lookNow();
    } catch (error) {
      if (error instanceof NoRoomError || error instanceof ClockBehindError) return;
      throw asUnavailable(error);
    }
  }

  /** Whether the storage can be used now: asked for, not remembered. @throws ServiceError of status 503 */
  async assertUsable(): Promise<void> {
    try {
      await this.#lookNow();
    } catch (error) {
      throw asUnavailable(error);
    }
  }

  /** What is true now, for whoever watches, with the storage's own code; comes soon even when that does not answer. */
  async report(): Promise<ReadinessReport> {
    try {
      this.#assertNotDraining();
      await soon(this.#lookNow());
      return { ready: true };
    } catch (error) {
      const told = error instanceof StorageError ? toServiceError(error) : asUnavailable(error);
      return { ready: false, ...errorBody(told) };
    }
  }

  async #lookNow(): Promise<void> {
    if (this.#look === undefined || performance.now() - this.#look.endedAt > LOOK_LIFETIME)
      this.#look = this.#begin();
    await this.#look.result;
    this.#latched = this.#latch;
  }

  #assertNotDraining(): void {
    if (this.#draining) throw new ServiceError('draining', 'this process is ending');
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

/** Probes understand 503; a full storage, say, is one that cannot be used now. */
function asUnavailable(error: unknown): ServiceError {
  const known = toServiceError(error);
  if (known.status === 503) return known;
  return new ServiceError('storage_unavailable', (error as Error).message, { cause: error });
}

async function soon(look: Promise<void>): Promise<void> {
  const late = new ServiceError(
    'storage_timeout',
    `the storage has not answered for ${REPORT_LIMIT / 1_000} s`,
  );
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(late), REPORT_LIMIT).unref();
  });
  try {
    await Promise.race([look, limit]);
  } finally {
    clearTimeout(timer);
  }
}
