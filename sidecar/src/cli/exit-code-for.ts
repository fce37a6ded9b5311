import {
  PayloadIntegrityError,
  PayloadNotFoundError,
  PayloadReferenceError,
  PayloadStoreUnavailableError,
} from '@largepayload/codec';
import { ManifestError } from '@largepayload/crds/manifest-error';
import { ForeignStoreError } from '../errors/foreign-store-error.ts';
import { StorageError } from '../errors/storage-error.ts';
import { EXIT_CODES, UnavailableError, UsageError } from './exit-codes.ts';

const BY_ERROR = [
  [UsageError, EXIT_CODES.usage],
  [ManifestError, EXIT_CODES.usage],
  [PayloadReferenceError, EXIT_CODES.usage],
  [PayloadNotFoundError, EXIT_CODES.notFound],
  [PayloadIntegrityError, EXIT_CODES.integrity],
  [PayloadStoreUnavailableError, EXIT_CODES.unavailable],
  [UnavailableError, EXIT_CODES.unavailable],
  [StorageError, EXIT_CODES.unavailable],
  [ForeignStoreError, EXIT_CODES.unavailable],
] as const;

export function exitCodeFor(error: unknown): number {
  return BY_ERROR.find(([type]) => error instanceof type)?.[1] ?? EXIT_CODES.failure;
}
