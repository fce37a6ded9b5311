import { BODY_BUFFERS } from '../bytes/buffer-pool.ts';
import type { ConnectionRules } from '../memory/connection-rules.ts';

/** What clients may ask of the data port. Times in ms, sizes in bytes. */
export interface DataLimits {
  /** largest payload accepted */
  readonly maxPayloadSize: number;
  /** a PUT must be acknowledged in this time, from the end of its head */
  readonly putTimeLimitMs: number;
  /** metadata headers of 107 KB are in use */
  readonly connections: ConnectionRules;
  /** memory that all transfers together may hold */
  readonly inFlightBytes: number;
  /** how long a request that finds that memory used waits in line at most; codecs wait 7 s for a first byte */
  readonly waitTimeMs: number;
  /** requests that wait in line at a time */
  readonly mostWaiting: number;
  /** a request head must be complete after this time */
  readonly headersTimeout: number;
  /** in each such period that we wait for a peer … */
  readonly progressPeriodMs: number;
  /** … it must send or take at least so many bytes */
  readonly progressBytes: number;
}

/** Those that do not follow from the memory of the process. */
export const DEFAULT_LIMITS = {
  waitTimeMs: 3_000,
  mostWaiting: 512,
  headersTimeout: 10_000,
  progressPeriodMs: 30_000,
  progressBytes: 64 * 1024,
};

/** Two buffers that take turns: a GET's between disk and client, a PUT's between client and disk. */
const LARGEST_RESERVATION = 1024 * 1024;
/** What a PUT may have received ahead of these buffers. */
const RECEIVED_AHEAD = 192 * 1024;
/** What the smallest transfer costs besides its bytes, so that many of them are bounded too. */
const SMALLEST_RESERVATION = 64 * 1024;

/** The most bytes that a GET of a payload of `size` bytes holds. */
export function getReservation(size: number): number {
  return Math.max(SMALLEST_RESERVATION, Math.min(BODY_BUFFERS.sizeFor(size), LARGEST_RESERVATION));
}

/** The most bytes that a PUT of a payload of `size` bytes holds. */
export function putReservation(size: number): number {
  return Math.max(
    SMALLEST_RESERVATION,
    Math.min(BODY_BUFFERS.sizeFor(size), LARGEST_RESERVATION + RECEIVED_AHEAD),
  );
}
