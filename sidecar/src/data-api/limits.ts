/** What one client may ask of the data port. Times in ms, sizes in bytes. */
export interface DataLimits {
  /** largest payload accepted */
  readonly maxPayloadSize: number;
  /** largest request head; metadata headers of 107 KB are in use */
  readonly maxHeaderSize: number;
  /** connections at a time; one more is closed unanswered */
  readonly maxConnections: number;
  /** memory that all transfers together may hold */
  readonly inFlightBytes: number;
  /** a request head must be complete after this time */
  readonly headersTimeout: number;
  /** in each such period that we wait for a peer … */
  readonly progressPeriod: number;
  /** … it must send or take at least so many bytes */
  readonly progressBytes: number;
}

export const DEFAULT_LIMITS: Omit<DataLimits, 'maxPayloadSize'> = {
  maxHeaderSize: 256 * 1024,
  maxConnections: 2_048,
  inFlightBytes: 64 * 1024 * 1024,
  headersTimeout: 10_000,
  progressPeriod: 30_000,
  progressBytes: 64 * 1024,
};

/** The most memory that one transfer holds in our buffers, however large the payload is. */
const LARGEST_RESERVATION = 1024 * 1024;
/** What the smallest transfer costs besides its bytes, so that many of them are bounded too. */
const SMALLEST_RESERVATION = 64 * 1024;

/** Bytes to reserve for the transfer of a payload of `size` bytes. */
export function reservation(size: number): number {
  return Math.max(SMALLEST_RESERVATION, Math.min(size, LARGEST_RESERVATION));
}
