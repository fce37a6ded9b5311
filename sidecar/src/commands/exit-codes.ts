import {
  PayloadIntegrityError,
  PayloadNotFoundError,
  PayloadReferenceError,
  PayloadStoreUnavailableError,
} from '@largepayload/codec';
import { ManifestError } from '@largepayload/crds';
import { ForeignStoreError } from '../errors/foreign-store-error.ts';
import { StorageError } from '../errors/storage-error.ts';

/** What the program's exit code says. */
export const EXIT_CODES = {
  ok: 0,
  failure: 1,
  usage: 2,
  notFound: 3,
  integrity: 4,
  unavailable: 5,
} as const;

export const EXIT_CODE_HELP = `Exit codes:
  0  it worked
  1  it failed for another reason than those below
  2  the arguments or the configuration are wrong
  3  no payload is stored under the reference
  4  the payload's bytes are not those of the reference
  5  the service cannot be reached or cannot use its storage now; try again`;

/** The arguments are wrong; the message says how to put them right. */
export class UsageError extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'UsageError';
  }
}

const BY_ERROR = [
  [UsageError, EXIT_CODES.usage],
  [ManifestError, EXIT_CODES.usage],
  [PayloadReferenceError, EXIT_CODES.usage],
  [PayloadNotFoundError, EXIT_CODES.notFound],
  [PayloadIntegrityError, EXIT_CODES.integrity],
  [PayloadStoreUnavailableError, EXIT_CODES.unavailable],
  [StorageError, EXIT_CODES.unavailable],
  [ForeignStoreError, EXIT_CODES.unavailable],
] as const;

export function exitCodeFor(error: unknown): number {
  return BY_ERROR.find(([type]) => error instanceof type)?.[1] ?? EXIT_CODES.failure;
}
