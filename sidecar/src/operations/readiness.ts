import type { ErrorReport } from '@largepayload/crds';
import { failsPutsOnly } from '../errors/fails-puts-only.ts';
import { errorReport } from '../errors/failure-report.ts';
import { ServiceError } from '../errors/service-error.ts';
import { StorageError } from '../errors/storage-error.ts';
import { toServiceError } from '../errors/to-service-error.ts';

/** How long one look at the storage answers for: probes and polls must not become a load. */
const LOOK_LIFETIME_MS = 1_000;
/** How long a report, as in `/status`, may take; a caller has to wait longer, or never learns the error. */
export const REPORT_LIMIT_MS = 3_000;

export type ReadinessReport =
  | { readonly ready: true }
  | { readonly ready: false; readonly error: ErrorReport };

/**
 * Whether this process can serve. With `latch`, `assertReady` looks at the storage until the first success only: a storage that
 * several processes share must not take all of them out of their Service when it fails for a moment.
 */
export class Readiness {
  readonly #check: () => Promise<void>;
  readonly #latch: boolean;
  #look: { readonly result: Promise<void>; endedAt: number } | undefined;
  #latched = false;
  #draining = false;

  /** @param check rejects when the storage cannot be used */
  constructor(check: () => Promise<void>, { latch = false }: { latch?: boolean } = {}) {
    this.#check = check;
    this.#latch = latch;
  }

  beginDraining(): void {
    this.#draining = true;
  }

  /** Whether clients should be sent here: a storage that takes no more still serves its payloads. @throws ServiceError of status 503 */
  async assertReady(): Promise<void> {
    this.#assertNotDraining();
    if (this.#latched) return;
    try {
      await this.#lookNow();
    } catch (error) {
      if (failsPutsOnly(error)) return;
      throw asUnavailable(error);
    }
  }

  /** Whether the storage can be used now, whatever it was before. @throws ServiceError of status 503 */
  async assertUsable(): Promise<void> {
    await this.#lookNow().catch((error) => Promise.reject(asUnavailable(error)));
  }

  /** Whether the storage can be used now, with the error's own code; in time even when the storage does not answer. */
  async report(): Promise<ReadinessReport> {
    try {
      this.#assertNotDraining();
      await soon(this.#lookNow());
      return { ready: true };
    } catch (error) {
      const known = error instanceof StorageError ? toServiceError(error) : asUnavailable(error);
      return { ready: false, error: errorReport(known) };
    }
  }

  async #lookNow(): Promise<void> {
    if (this.#look === undefined || performance.now() - this.#look.endedAt > LOOK_LIFETIME_MS)
      this.#look = this.#begin();
    await this.#look.result;
    this.#latched = this.#latch;
  }

  #assertNotDraining(): void {
    if (this.#draining) throw new ServiceError('draining', 'this process is ending');
  }

  /** However many probes wait for a storage that does not answer, there is one look. */
  #begin() {
    const look = { result: this.#check(), endedAt: Number.POSITIVE_INFINITY };
    const end = () => {
      look.endedAt = performance.now();
    };
    look.result.then(end, end);
    return look;
  }
}

/** Probes understand 503 only, also for a full storage. */
function asUnavailable(error: unknown): ServiceError {
  const known = toServiceError(error);
  if (known.status === 503) return known;
  const { reason } = known;
  return new ServiceError('storage_unavailable', (error as Error).message, { cause: error, reason });
}

async function soon(look: Promise<void>): Promise<void> {
  const late = new ServiceError(
    'storage_timeout',
    `the storage has not answered for ${REPORT_LIMIT_MS / 1_000} s`,
  );
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(late), REPORT_LIMIT_MS).unref();
  });
  try {
    await Promise.race([look, limit]);
  } finally {
    clearTimeout(timer);
  }
}
