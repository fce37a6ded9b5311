import { StorageError } from '../../errors/storage-error.ts';
import {
  type Attempt,
  asksForFewer,
  codes,
  type FailureRow,
  inBrackets,
  type Retry,
  status,
} from '../object-store/failures.ts';
import { BAD_ANSWER, BAD_LISTING, BAD_LOCATION, BAD_PROXY, NO_REGION } from './answers/sdk-faults.ts';
import { CREDENTIALS_TABLE } from './credentials/credentials-failures.ts';
import type { Fault } from './s3-client.ts';

export type { Attempt, Retry } from '../object-store/failures.ts';

/** The first row that knows a fault speaks. */
const TABLE: readonly FailureRow[] = [
  {
    when: codes('NoSuchBucket'),
    failure: 'notFound',
    retry: 'never',
    reason: () => ({ name: 'BucketMissing' }),
    words: (_fault, { place }) => `${place} does not exist; create it, or correct spec.storage.s3`,
  },
  {
    when: (fault) =>
      codes('PermanentRedirect', 'TemporaryRedirect', 'AuthorizationHeaderMalformed')(fault) ||
      status(301, 307)(fault),
    failure: 'notFound',
    retry: 'never',
    words: ({ region }, { place }) =>
      `${place} is in another region${region === undefined ? '' : `, ${region}`}; set spec.storage.s3.region to it`,
  },
  {
    when: codes(NO_REGION),
    failure: 'notFound',
    retry: 'never',
    words: () => 'the region of the bucket is not known; set spec.storage.s3.region, or AWS_REGION',
  },
  {
    when: codes(BAD_LOCATION, 'InvalidBucketName'),
    failure: 'notFound',
    retry: 'never',
    words: ({ message }) => `${message}; correct spec.storage.s3`,
  },
  {
    when: codes(BAD_PROXY),
    failure: 'notFound',
    retry: 'never',
    words: ({ message }) => message,
  },
  {
    // The SDK corrects its clock by this answer, so that the next request may succeed.
    when: codes('RequestTimeTooSkewed', 'RequestExpired', 'RequestInTheFuture'),
    failure: 'unavailable',
    retry: 'soon',
    reason: () => ({ name: 'ClockDifference', direction: 'unknown' }),
    words: () => "this machine's clock differs from the storage's by more than it allows; set the clock",
  },
  {
    when: codes('ExpiredToken', 'TokenRefreshRequired'),
    failure: 'denied',
    retry: 'soon',
    words: ({ code }) => `the credentials have expired (${code}); renew them where they come from`,
  },
  {
    when: codes(
      'InvalidAccessKeyId',
      'SignatureDoesNotMatch',
      'InvalidToken',
      'InvalidSecurity',
      'UnrecognizedClientException',
      'XAdminUserNotFound',
    ),
    failure: 'denied',
    retry: 'never',
    words: ({ code }) =>
      `the credentials are not accepted (${code}); check the key and its secret; temporary keys need AWS_SESSION_TOKEN too`,
  },
  {
    when: codes('InvalidObjectState'),
    failure: 'unavailable',
    retry: 'never',
    words: () =>
      'the object was moved to an archive class; restore it, and take that out of the lifecycle rules',
  },
  {
    when: codes('QuotaExceeded', 'XMinioStorageFull', 'XAmzQuotaExceeded', 'InsufficientStorage'),
    failure: 'full',
    retry: 'never',
    words: ({ message }) => `no space left: ${message}`,
  },
  { when: status(507), failure: 'full', retry: 'never', words: () => 'no space left' },
  {
    when: asksForFewer,
    failure: 'throttled',
    retry: 'slower',
    words: ({ code }) => `the storage asks for fewer requests${inBrackets(code)}`,
  },
  {
    when: codes('RequestTimeout', 'ETIMEDOUT', 'ESOCKETTIMEDOUT'),
    failure: 'timeout',
    retry: 'soon',
    words: ({ message }) => `the storage does not answer: ${message}`,
  },
  {
    when: codes(
      'BadDigest',
      'InvalidDigest',
      'IncompleteBody',
      'XAmzContentSHA256Mismatch',
      'XAmzContentChecksumMismatch',
    ),
    failure: 'integrity',
    retry: 'soon',
    words: ({ code }) =>
      `the bytes were altered or lost on the way to the storage (${code}); nothing was stored. Look for a proxy that rewrites`,
  },
  {
    when: codes(BAD_ANSWER),
    failure: 'unavailable',
    retry: 'soon',
    words: (fault, { place }) =>
      `an unreadable answer: what answered is no S3 (${fault.status ?? fault.message}), perhaps a proxy; check the endpoint of ${place}, and proxies on the way`,
  },
  {
    when: codes(BAD_LISTING),
    failure: 'unavailable',
    retry: 'soon',
    words: ({ message }, { place }) =>
      `the listing cannot be believed: ${message}; check ${place}, and proxies and caches on the way`,
  },
  {
    when: (fault) => fault.code === 'AccessDenied' || status(401, 403)(fault),
    failure: 'denied',
    retry: 'never',
    reason: () => ({ name: 'AccessDenied' }),
    words: ({ code, message }, { action, place }) =>
      `access denied for ${action} on ${place}${inBrackets(code, message)}; allow it in the policy of these credentials` +
      (action === 's3:GetObject'
        ? ', and s3:ListBucket too, without which S3 says the same of an object that is not there'
        : ''),
  },
  {
    when: (fault) => codes('NotImplemented')(fault) || status(405, 501)(fault),
    failure: 'unavailable',
    retry: 'never',
    words: ({ message }, { place }) =>
      `${place} lacks something that is needed here (${message}); docs/s3-services.md lists what a service must do`,
  },
  {
    when: codes('ConditionalRequestConflict', 'OperationAborted'),
    failure: 'unavailable',
    retry: 'soon',
    words: ({ code }) => `another request changed the same object meanwhile (${code})`,
  },
  {
    when: codes('ENOTFOUND', 'EAI_AGAIN'),
    failure: 'unavailable',
    retry: 'soon',
    words: ({ message }) =>
      `the name of the storage cannot be resolved (${message}); check the endpoint and DNS`,
  },
  {
    when: codes('ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ECONNABORTED'),
    failure: 'unavailable',
    retry: 'soon',
    words: ({ code, message }) =>
      `the storage cannot be reached (${message === '' ? code : message}); check the endpoint, and that it runs`,
  },
  {
    when: ({ code, message }) =>
      code === 'ERR_SSL_WRONG_VERSION_NUMBER' ||
      (code === 'EPROTO' && message.includes('wrong version number')),
    failure: 'unavailable',
    retry: 'never',
    words: () =>
      'the storage speaks no TLS at this address; if that is meant, begin the endpoint with http://',
  },
  {
    when: ({ code }) => code.startsWith('HPE_'),
    failure: 'unavailable',
    retry: 'never',
    words: () =>
      'the storage does not speak HTTP at this address; check the port, and whether https:// is meant',
  },
  {
    when: codes(
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'SELF_SIGNED_CERT_IN_CHAIN',
      'UNABLE_TO_GET_ISSUER_CERT',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    ),
    failure: 'unavailable',
    retry: 'never',
    words: ({ code }) =>
      `the storage's certificate is signed by an unknown authority (${code}); put that into spec.storage.s3.caBundle`,
  },
  {
    when: ({ code }) => code.startsWith('CERT_') || code.startsWith('ERR_TLS_'),
    failure: 'unavailable',
    retry: 'never',
    words: ({ code, message }) => `the storage's certificate is not valid (${code}: ${message}); renew it`,
  },
  {
    when: (fault) => fault.status === undefined && fault.code !== '',
    failure: 'unavailable',
    retry: 'soon',
    words: ({ code, message }) => `the connection to the storage broke${inBrackets(code, message)}`,
  },
  {
    // S3 says so of itself, and means what SlowDown means.
    when: status(503),
    failure: 'unavailable',
    retry: 'slower',
    words: ({ code, message }) => `the storage cannot be used now${inBrackets(code, message)}`,
  },
  {
    when: (fault) => (fault.status ?? 0) >= 500,
    failure: 'unavailable',
    retry: 'soon',
    words: (fault) => `the storage failed with ${fault.status}${inBrackets(fault.code, fault.message)}`,
  },
  {
    when: () => true,
    failure: 'unavailable',
    retry: 'never',
    words: (fault) => `the storage refused with ${fault.status}${inBrackets(fault.code, fault.message)}`,
  },
];

export function retryOf(fault: Fault): Retry {
  return rowOf(fault).retry;
}

/** The failure in the contract's terms. The cause is left out: the SDK's errors carry requests, and logs print causes. */
export function storageErrorOf(fault: Fault, attempt: Attempt): StorageError {
  const { failure, words, reason } = rowOf(fault);
  const message = `cannot ${attempt.doing}: ${words(fault, attempt)}`;
  return new StorageError(failure, message, { reason: reason?.(fault) });
}

function rowOf(fault: Fault): FailureRow {
  const table = fault.source === undefined ? TABLE : CREDENTIALS_TABLE;
  return table.find(({ when }) => when(fault)) as FailureRow;
}
