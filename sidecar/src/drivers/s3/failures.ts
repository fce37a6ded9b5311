import { failureTable } from '../object-store/common-failures.ts';
import {
  type Attempt,
  BAD_ANSWER,
  codes,
  type FailureRow,
  inBrackets,
  never,
  soon,
  status,
} from '../object-store/failures.ts';
import { BAD_LOCATION, NO_REGION } from './answers/sdk-faults.ts';
import { CREDENTIALS_FAILURES } from './credentials/credentials-failures.ts';
import type { CredentialsFault } from './credentials/credentials-source.ts';
import type { S3Fault } from './s3-client.ts';

/** What a policy has to allow. */
const ACTIONS: Readonly<Record<Attempt['right'], string>> = {
  put: 's3:PutObject',
  get: 's3:GetObject',
  list: 's3:ListBucket',
  delete: 's3:DeleteObject',
};

const ROWS: readonly FailureRow<S3Fault>[] = [
  {
    when: codes('NoSuchBucket'),
    ...never('notFound'),
    reason: () => ({ name: 'BucketMissing' }),
    message: (_fault, { place }) => `${place} does not exist; create it, or correct spec.storage.s3`,
  },
  {
    when: (fault) =>
      codes('PermanentRedirect', 'TemporaryRedirect', 'AuthorizationHeaderMalformed')(fault) ||
      status(301, 307)(fault),
    ...never('notFound'),
    message: ({ region }, { place }) =>
      `${place} is in another region${region === undefined ? '' : `, ${region}`}; set spec.storage.s3.region to it`,
  },
  {
    when: codes(NO_REGION),
    ...never('notFound'),
    message: () => 'the region of the bucket is not known; set spec.storage.s3.region, or AWS_REGION',
  },
  {
    when: codes(BAD_LOCATION, 'InvalidBucketName'),
    ...never('notFound'),
    message: ({ message }) => `${message}; correct spec.storage.s3`,
  },
  {
    // The clock by which requests are signed is corrected by this answer, so that the next request may succeed.
    when: codes('RequestTimeTooSkewed', 'RequestExpired', 'RequestInTheFuture'),
    ...soon('unavailable'),
    reason: () => ({ name: 'ClockDifference', direction: 'unknown' }),
    message: () => "this machine's clock differs from the storage's by more than it allows; set the clock",
  },
  {
    when: codes('ExpiredToken', 'TokenRefreshRequired'),
    ...soon('denied'),
    message: ({ code }) => `the credentials have expired (${code}); renew them where they come from`,
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
    ...never('denied'),
    message: ({ code }) =>
      `the credentials are not accepted (${code}); check the key and its secret; temporary keys need AWS_SESSION_TOKEN too`,
  },
  {
    when: codes('InvalidObjectState'),
    ...never('unavailable'),
    message: () =>
      'the object was moved to an archive class; restore it, and take that out of the lifecycle rules',
  },
  {
    when: codes('QuotaExceeded', 'XMinioStorageFull', 'XAmzQuotaExceeded', 'InsufficientStorage'),
    ...never('full'),
    message: ({ message }) => `no space left: ${message}`,
  },
  {
    when: codes(
      'BadDigest',
      'InvalidDigest',
      'IncompleteBody',
      'XAmzContentSHA256Mismatch',
      'XAmzContentChecksumMismatch',
    ),
    ...soon('integrity'),
    message: ({ code }) =>
      `the bytes were altered or lost on the way to the storage (${code}); nothing was stored. Look for a proxy that rewrites`,
  },
  {
    when: codes(BAD_ANSWER),
    ...soon('unavailable'),
    message: (fault, { place }) =>
      `an unreadable answer: what answered is no S3 (${fault.status ?? fault.message}), perhaps a proxy; check the endpoint of ${place}, and proxies on the way`,
  },
  {
    when: (fault) => fault.code === 'AccessDenied' || status(401, 403)(fault),
    ...never('denied'),
    reason: () => ({ name: 'AccessDenied' }),
    message: ({ code, message }, { right, place }) =>
      `access denied for ${ACTIONS[right]} on ${place}${inBrackets(code, message)}; allow it in the policy of these credentials` +
      (right === 'get'
        ? ', and s3:ListBucket too, without which S3 says the same of an object that is not there'
        : ''),
  },
  {
    when: (fault) => codes('NotImplemented')(fault) || status(405, 501)(fault),
    ...never('unavailable'),
    message: ({ message }, { place }) =>
      `${place} lacks something that is needed here (${message}); docs/s3-services.md lists what a service must do`,
  },
  {
    when: codes('ConditionalRequestConflict', 'OperationAborted'),
    ...soon('unavailable'),
    message: ({ code }) => `another request changed the same object meanwhile (${code})`,
  },
  {
    when: codes(
      'DEPTH_ZERO_SELF_SIGNED_CERT',
      'SELF_SIGNED_CERT_IN_CHAIN',
      'UNABLE_TO_GET_ISSUER_CERT',
      'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
    ),
    ...never('unavailable'),
    message: ({ code }) =>
      `the storage's certificate is signed by an unknown authority (${code}); put that into spec.storage.s3.caBundle`,
  },
];

/** A fault of the source of the credentials is not a fault of the storage. */
const OF_CREDENTIALS: readonly FailureRow<S3Fault>[] = CREDENTIALS_FAILURES.map((row) => ({
  ...row,
  when: (fault) => fault.source !== undefined && row.when(fault as CredentialsFault),
}));

export const S3_FAILURES: readonly FailureRow<S3Fault>[] = [...OF_CREDENTIALS, ...failureTable(...ROWS)];
