/** What is known about a failure beside its message. */
export interface PayloadStoreErrorDetails {
  /** Key of the payload concerned, e.g. `/blobs/orders/common/sha256:…/sha256:…`. */
  readonly key?: string | undefined;
  /** HTTP status of the service's answer; absent when there was no answer. */
  readonly status?: number | undefined;
  /** Error code of the wire protocol, e.g. `put_timeout`; absent when the answer is not the service's. */
  readonly code?: string | undefined;
  /** Whether the same call may succeed later without any change. */
  readonly retryable?: boolean | undefined;
  readonly cause?: unknown;
}

/** Base of every failure to store or retrieve a payload. Its subclasses say which kind it is. */
export class PayloadStoreError extends Error {
  readonly key: string | undefined;
  readonly status: number | undefined;
  readonly code: string | undefined;
  readonly retryable: boolean;

  constructor(message: string, details: PayloadStoreErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.key = details.key;
    this.status = details.status;
    this.code = details.code;
    this.retryable = details.retryable ?? false;
  }
}

/** The store has no object under the key: it expired, was removed, or never was there. */
export class PayloadNotFoundError extends PayloadStoreError {}

/**
 * The bytes are not those that the reference promises: wrong length, wrong digest, or a body that broke off.
 * Only a body that broke off is retryable: the connection may be to blame.
 */
export class PayloadIntegrityError extends PayloadStoreError {}

/**
 * The service could not be reached, took too long or says that it cannot serve now, or something else answered in its
 * place, such as a proxy.
 */
export class PayloadStoreUnavailableError extends PayloadStoreError {
  /** Seconds the service asked to be left alone (`Retry-After`), from 0 to 3600. */
  readonly retryAfterSeconds: number | undefined;

  constructor(
    message: string,
    details: PayloadStoreErrorDetails & { readonly retryAfterSeconds?: number | undefined } = {},
  ) {
    super(message, { ...details, retryable: details.retryable ?? true });
    this.retryAfterSeconds = details.retryAfterSeconds;
  }
}

/** The service itself refused the request: too large, not allowed, malformed. */
export class PayloadRejectedError extends PayloadStoreError {}

/** A payload is marked as a reference but does not hold a well-formed one. */
export class PayloadReferenceError extends PayloadStoreError {}

/**
 * The payloads that were to be decoded together take more memory than allowed. A workflow task fails by it and is tried
 * again, until the limit is raised; the workflow does not fail.
 */
export class DecodedBytesLimitError extends PayloadStoreError {
  constructor(payloads: number, bytes: number, limit: number) {
    super(
      `${payloads} payloads of together ${bytes} bytes were to be decoded at once, more than the limit of ${limit} bytes ` +
        '(maxDecodedBytes): pass fewer or smaller payloads, or raise the option maxDecodedBytes or ' +
        'LARGE_PAYLOAD_MAX_DECODED_BYTES to what the memory of the process allows, about a third of it',
    );
  }
}

/** Metadata on the wire, in a header or a reference, is malformed. */
export class PayloadMetadataError extends PayloadStoreError {
  /** What is wrong, without quoting the metadata: fit for an error answer and a log line. */
  readonly reason: string;

  constructor(reason: string, cause?: unknown) {
    super(`malformed payload metadata: ${reason}`, { cause });
    this.reason = reason;
  }
}

// By keys of an object, so that names survive minifiers and Temporal's `nonRetryableErrorTypes` can list them.
const types = {
  PayloadStoreError,
  PayloadNotFoundError,
  PayloadIntegrityError,
  PayloadStoreUnavailableError,
  PayloadRejectedError,
  PayloadReferenceError,
  DecodedBytesLimitError,
  PayloadMetadataError,
};
for (const [name, type] of Object.entries(types)) type.prototype.name = name;
