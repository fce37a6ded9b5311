import type { Reason } from '@largepayload/crds';

/**
 * Why the storage did not do it. `full`: no space. `notFound`: the bucket or folder itself is not there. `denied`: it does
 * not take our credentials, or they do not allow it. `throttled`: it asks for fewer requests. `timeout`: no answer, or no
 * progress. `integrity`: what arrived there were not the bytes that we sent. `unavailable`: anything else.
 */
export type StorageFailure =
  | 'full'
  | 'notFound'
  | 'denied'
  | 'throttled'
  | 'timeout'
  | 'integrity'
  | 'unavailable';

export interface ErrorDetails extends ErrorOptions {
  /** for programs, where the kind of error does not say enough */
  readonly reason?: Reason | undefined;
}

export class StorageError extends Error {
  readonly failure: StorageFailure;
  readonly reason: Reason | undefined;

  constructor(failure: StorageFailure, message: string, { reason, ...options }: ErrorDetails = {}) {
    super(message, options);
    this.name = 'StorageError';
    this.failure = failure;
    this.reason = reason;
  }
}
