import type { Reason } from '@largepayload/crds';
import type { ErrorDetails } from './storage-error.ts';

/**
 * Every error the service answers with. `docs/wire-errors.md` holds the same table and a test compares them.
 * `retryable` says whether the same request can succeed later without anybody changing it.
 */
export const ERROR_TABLE = {
  malformed_request: { status: 400, retryable: false },
  invalid_content_type: { status: 400, retryable: false },
  invalid_content_length: { status: 400, retryable: false },
  invalid_namespace: { status: 400, retryable: false },
  invalid_digest: { status: 400, retryable: false },
  invalid_metadata: { status: 400, retryable: false },
  invalid_key_prefix: { status: 400, retryable: false },
  invalid_workflow_id: { status: 400, retryable: false },
  invalid_key: { status: 400, retryable: false },
  invalid_expected_length: { status: 400, retryable: false },
  invalid_age: { status: 400, retryable: false },
  invalid_payloads: { status: 400, retryable: false },
  expected_length_mismatch: { status: 400, retryable: false },
  digest_mismatch: { status: 400, retryable: false },
  body_incomplete: { status: 400, retryable: true },
  namespace_denied: { status: 403, retryable: false },
  browser_refused: { status: 403, retryable: false },
  origin_refused: { status: 403, retryable: false },
  unknown_route: { status: 404, retryable: false },
  key_not_found: { status: 404, retryable: false },
  method_not_allowed: { status: 405, retryable: false },
  request_timeout: { status: 408, retryable: true },
  length_required: { status: 411, retryable: false },
  payload_too_large: { status: 413, retryable: false },
  unsupported_media_type: { status: 415, retryable: false },
  headers_too_large: { status: 431, retryable: false },
  internal: { status: 500, retryable: true },
  integrity: { status: 502, retryable: false },
  busy: { status: 503, retryable: true },
  clock_difference: { status: 503, retryable: true },
  draining: { status: 503, retryable: true },
  put_timeout: { status: 503, retryable: true },
  storage_denied: { status: 503, retryable: true },
  storage_throttled: { status: 503, retryable: true },
  storage_timeout: { status: 503, retryable: true },
  storage_unavailable: { status: 503, retryable: true },
  storage_full: { status: 507, retryable: true },
} as const satisfies Record<string, { status: number; retryable: boolean }>;

export type ErrorCode = keyof typeof ERROR_TABLE;

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
    return ERROR_TABLE[this.code].status;
  }
}
