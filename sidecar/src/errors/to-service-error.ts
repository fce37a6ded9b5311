import { ForeignStoreError } from './foreign-store-error.ts';
import { IntegrityError } from './integrity-error.ts';
import { type ErrorCode, ServiceError } from './service-error.ts';
import { StorageError, type StorageFailure } from './storage-error.ts';

/** A storage that refuses our credentials may take them when they are renewed, so that too is worth trying again. */
const CODE_OF_FAILURE: Readonly<Record<StorageFailure, ErrorCode>> = {
  full: 'storage_full',
  denied: 'storage_denied',
  throttled: 'storage_throttled',
  timeout: 'storage_timeout',
  notFound: 'storage_unavailable',
  integrity: 'storage_unavailable',
  unavailable: 'storage_unavailable',
};

/** Any error as the answer that a client gets; an unexpected error becomes `internal`, with its text kept for the log as the cause. */
export function toServiceError(error: unknown): ServiceError {
  if (error instanceof ServiceError) return error;
  if (error instanceof StorageError) {
    const { failure, message, reason } = error;
    return new ServiceError(CODE_OF_FAILURE[failure], message, { cause: error, reason });
  }
  if (error instanceof IntegrityError) {
    return new ServiceError('integrity', `the stored payload is damaged: ${error.message}`, { cause: error });
  }
  if (error instanceof ForeignStoreError) {
    return new ServiceError('storage_unavailable', error.message, { cause: error, reason: error.reason });
  }
  return new ServiceError('internal', 'internal error; the service log has the details', { cause: error });
}
