import type { Fault } from '../../object-store/failures.ts';

const STATUSES = new Set<number | undefined>([405, 411, 413, 501]);

/** Codes of services that take a POST to a bucket for another request, or refuse a header or the body of it. */
const CODES: ReadonlySet<string> = new Set([
  'EntityTooLarge',
  'InvalidArgument',
  'InvalidPolicyDocument',
  'InvalidRequest',
  'MalformedPOSTRequest',
  'MalformedXML',
  'MaxMessageLengthExceeded',
  'MethodNotAllowed',
  'MissingContentLength',
  'MissingContentMD5',
  'NotImplemented',
  'NotSupported',
  'PreconditionFailed',
  'UnsupportedOperation',
]);

/** Whether the service has no multi-object delete (as Google's S3 interface), or does not take our request. */
export function lacksMultiObjectDelete(fault: Fault | undefined): boolean {
  return fault !== undefined && (CODES.has(fault.code) || STATUSES.has(fault.status));
}
