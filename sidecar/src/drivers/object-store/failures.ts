import type { Reason } from '@largepayload/crds';
import { StorageError, type StorageFailure } from '../../errors/storage-error.ts';

/** A listing that does not fit what was asked, or leads nowhere. */
export const BAD_LISTING = 'BadListing';

/** A client's `faultOf` takes over the code of an error. */
export const badListing = (message: string) => Object.assign(new Error(message), { code: BAD_LISTING });

/** What is known of a request that failed. */
export interface Fault {
  /** `undefined`: no answer */
  readonly status: number | undefined;
  /** of the service, such as `SlowDown`; of the network, such as `ECONNREFUSED`; else empty */
  readonly code: string;
  /** in the service's or the system's own words; no credentials in it */
  readonly message: string;
  /** ms that the service asks to wait */
  readonly retryAfterMs?: number | undefined;
}

/** What was tried. */
export interface Attempt {
  /** goes on after "cannot" */
  readonly doing: string;
  /** what the credentials have to allow for it */
  readonly right: 'put' | 'get' | 'list' | 'delete';
  readonly place: string;
}

/** Whether the same request may succeed soon: not, at once, or when fewer requests are made. */
export type Retry = 'never' | 'soon' | 'slower';

/** A row of a client's table of failures, which gets the faults of that client. The first row that knows a fault decides. */
export interface FailureRow<F extends Fault = Fault> {
  when(fault: F): boolean;
  readonly failure: StorageFailure;
  readonly retry: Retry;
  /** what is wrong and what to do about it */
  message(fault: F, attempt: Attempt): string;
  /** for programs, where `failure` does not say enough */
  reason?(fault: F): Reason | undefined;
}

/** The failure in the contract's terms. The cause is left out: errors of clients carry requests, and logs print causes. */
export function storageErrorOf(rows: readonly FailureRow[], fault: Fault, attempt: Attempt): StorageError {
  const row = rowOf(rows, fault);
  const message = `cannot ${attempt.doing}: ${row.message(fault, attempt)}`;
  return new StorageError(row.failure, message, { reason: row.reason?.(fault) });
}

export function rowOf(rows: readonly FailureRow[], fault: Fault): FailureRow {
  return rows.find((row) => row.when(fault)) as FailureRow;
}

export const never = (failure: StorageFailure) => ({ failure, retry: 'never' }) as const;
export const soon = (failure: StorageFailure) => ({ failure, retry: 'soon' }) as const;
export const slower = (failure: StorageFailure) => ({ failure, retry: 'slower' }) as const;

export const codes = (...all: string[]) => {
  const known = new Set(all);
  return ({ code }: Fault) => known.has(code);
};

export const status = (...all: number[]) => {
  const known = new Set<number | undefined>(all);
  return (fault: Fault) => known.has(fault.status);
};

const LONGEST_EXCERPT = 300;

export function inBrackets(...texts: string[]): string {
  const text = texts.filter((each) => each !== '').join(': ');
  return text === '' ? '' : ` (${text.replaceAll(/\s+/g, ' ').slice(0, LONGEST_EXCERPT)})`;
}
