import type { Reason } from '@largepayload/crds';
import { StorageError } from './storage-error.ts';

/** Another process uses the storage, or may: nothing may be stored in it or deleted from it. */
export class StorageInUseError extends StorageError {
  /** ms after which it may be free; `undefined`: only a person can free it */
  readonly retryAfterMs: number | undefined;

  constructor(message: string, reason: Reason, retryAfterMs?: number) {
    super('unavailable', message, { reason });
    this.name = 'StorageInUseError';
    this.retryAfterMs = retryAfterMs;
  }
}
