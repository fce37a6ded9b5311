import { errorTable } from '@largepayload/codec/wire/error-table';
import type { Reason } from '@largepayload/crds';
import type { ErrorDetails } from './storage-error.ts';

/** Every error the service answers with. The codec, which has to know them all, has the table. */
export { errorTable as ERROR_TABLE };

export type ErrorCode = keyof typeof errorTable;

/** Seconds that a client is asked to wait (`Retry-After`) after a 503. */
export const RETRY_AFTER_SECONDS = 1;

/** An answer other than success: a code of `ERROR_TABLE` and a sentence that says what to do about it. */
export class ServiceError extends Error {
  readonly code: ErrorCode;
  readonly reason: Reason | undefined;

  constructor(code: ErrorCode, message: string, { reason, ...options }: ErrorDetails = {}) {
    super(message, options);
    this.name = 'ServiceError';
    this.code = code;
    this.reason = reason;
  }

  get status(): number {
    return errorTable[this.code].status;
  }
}
