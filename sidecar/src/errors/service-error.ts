import { errorTable } from '@largepayload/codec/wire/error-table';
import type { Reason } from '@largepayload/crds';
import type { ErrorDetails } from './storage-error.ts';

export interface ServiceErrorDetails extends ErrorDetails {
  /** what a client of a 503 is asked to wait, where that is known better than `RETRY_AFTER_SECONDS` */
  readonly retryAfterSeconds?: number | undefined;
}

/** Every error the service answers with. The codec, which has to know them all, has the table. */
export { errorTable as ERROR_TABLE };

export type ErrorCode = keyof typeof errorTable;

/** Seconds that a client is asked to wait (`Retry-After`) after a 503. */
export const RETRY_AFTER_SECONDS = 1;

/** An answer other than success: a code of `ERROR_TABLE` and a sentence that says what to do about it. */
export class ServiceError extends Error {
  readonly code: ErrorCode;
  readonly reason: Reason | undefined;
  readonly retryAfterSeconds: number;

  constructor(code: ErrorCode, message: string, details: ServiceErrorDetails = {}) {
    const { reason, retryAfterSeconds = RETRY_AFTER_SECONDS, ...options } = details;
    super(message, options);
    this.name = 'ServiceError';
    this.code = code;
    this.reason = reason;
    this.retryAfterSeconds = retryAfterSeconds;
  }

  get status(): number {
    return errorTable[this.code].status;
  }
}
