import { BAD_PROXY, NOT_HTTP } from '../../http-client/errors.ts';
import {
  BAD_LISTING,
  codes,
  type FailureRow,
  type Fault,
  inBrackets,
  never,
  slower,
  soon,
  status,
} from './failures.ts';

/** The table of a client: its own rows, before them what fails on the way, after them what none of its rows knows. */
export function failureTable<F extends Fault>(...rows: readonly FailureRow<F>[]): readonly FailureRow<F>[] {
  return [...ON_THE_WAY, ...rows, ...OTHERWISE];
}

export const asksForFewer = (fault: Fault) =>
  codes(
    'SlowDown',
    'SlowDownRead',
    'SlowDownWrite',
    'Throttling',
    'ThrottlingException',
    'RequestLimitExceeded',
    'TooManyRequests',
    'BandwidthLimitExceeded',
    'RequestThrottled',
    'XMinioServerRateLimitExceeded',
  )(fault) || status(429)(fault);

const ON_THE_WAY: readonly FailureRow[] = [
  { ...never('notFound'), when: codes(BAD_PROXY), message: ({ message }) => message },
  {
    ...slower('throttled'),
    when: asksForFewer,
    message: ({ code }) => `the storage asks for fewer requests${inBrackets(code)}`,
  },
  {
    ...soon('timeout'),
    when: codes('RequestTimeout', 'ETIMEDOUT', 'ESOCKETTIMEDOUT'),
    message: ({ message }) => `the storage does not answer: ${message}`,
  },
  {
    ...soon('unavailable'),
    when: codes(BAD_LISTING),
    message: ({ message }, { place }) =>
      `the listing cannot be believed: ${message}; check ${place}, and proxies and caches on the way`,
  },
  {
    ...soon('unavailable'),
    when: codes('ENOTFOUND', 'EAI_AGAIN'),
    message: ({ message }) =>
      `the name of the storage cannot be resolved (${message}); check the endpoint and DNS`,
  },
  {
    ...soon('unavailable'),
    when: codes('ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH', 'ECONNABORTED'),
    message: ({ code, message }) =>
      `the storage cannot be reached (${message === '' ? code : message}); check the endpoint, and that it runs`,
  },
  {
    ...never('unavailable'),
    when: ({ code, message }) =>
      code === 'ERR_SSL_WRONG_VERSION_NUMBER' ||
      (code === 'EPROTO' && message.includes('wrong version number')),
    message: () =>
      'the storage speaks no TLS at this address; if that is meant, begin the endpoint with http://',
  },
  {
    ...never('unavailable'),
    when: ({ code }) => code === NOT_HTTP || code.startsWith('HPE_'),
    message: () =>
      'the storage does not speak HTTP at this address; check the port, and whether https:// is meant',
  },
  {
    ...never('unavailable'),
    when: ({ code }) => code.startsWith('CERT_') || code.startsWith('ERR_TLS_'),
    message: ({ code, message }) => `the storage's certificate is not valid (${code}: ${message}); renew it`,
  },
];

const OTHERWISE: readonly FailureRow[] = [
  { ...never('full'), when: status(507), message: () => 'no space left' },
  {
    ...soon('unavailable'),
    when: (fault) => fault.status === undefined && fault.code !== '',
    message: ({ code, message }) => `the connection to the storage broke${inBrackets(code, message)}`,
  },
  {
    // S3 says so of itself, and means what SlowDown means.
    ...slower('unavailable'),
    when: status(503),
    message: ({ code, message }) => `the storage cannot be used now${inBrackets(code, message)}`,
  },
  {
    ...soon('unavailable'),
    when: (fault) => (fault.status ?? 0) >= 500,
    message: (fault) => `the storage failed with ${fault.status}${inBrackets(fault.code, fault.message)}`,
  },
  {
    ...never('unavailable'),
    when: () => true,
    message: (fault) => `the storage refused with ${fault.status}${inBrackets(fault.code, fault.message)}`,
  },
];
