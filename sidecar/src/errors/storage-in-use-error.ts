import { StorageError } from './storage-error.ts';

/** Others use the storage: nothing may be stored in it or deleted from it. */
export class StorageInUseError extends StorageError {
  /** ms after which it may be free; `undefined`: not without somebody's doing */
  readonly retryAfter: number | undefined;

  constructor(message: string, retryAfter?: number) {
    super('unavailable', message);
    this.name = 'StorageInUseError';
    this.retryAfter = retryAfter;
  }
}
