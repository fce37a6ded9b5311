import type { Reason } from '@largepayload/crds';
import type { StorageFailure } from '../../errors/storage-error.ts';
import type { Fault } from '../s3/s3-client.ts';

/** What was tried: in words, and as the action that a policy has to allow for it. */
export interface Attempt {
  readonly doing: string;
  readonly action: 's3:PutObject' | 's3:GetObject' | 's3:ListBucket' | 's3:DeleteObject';
  readonly place: string;
}

/** Whether the same request may succeed soon: not, at once, or when fewer requests are made. */
export type Retry = 'never' | 'soon' | 'slower';

/** A line of a table of failures. The first line that knows a fault speaks. */
export interface FailureRow {
  readonly when: (fault: Fault) => boolean;
  readonly failure: StorageFailure;
  readonly retry: Retry;
  /** what is wrong and what to do about it */
  readonly words: (fault: Fault, attempt: Attempt) => string;
  /** for programs, where `failure` does not say enough */
  readonly reason?: (fault: Fault) => Reason | undefined;
}

export const codes = (...all: string[]) => {
  const known = new Set(all);
  return ({ code }: Fault) => known.has(code);
};

export const status = (...all: number[]) => {
  const known = new Set<number | undefined>(all);
  return (fault: Fault) => known.has(fault.status);
};

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

const LONGEST_EXCERPT = 300;

export function inBrackets(...texts: string[]): string {
  const text = texts.filter((each) => each !== '').join(': ');
  return text === '' ? '' : ` (${text.replaceAll(/\s+/g, ' ').slice(0, LONGEST_EXCERPT)})`;
}
