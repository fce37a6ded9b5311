/** How long each wait of a request may take, and how many connections there are to each service. */
export interface Limits {
  /** until there is a connection, with the wait for a free place, TLS and a proxy's tunnel */
  readonly connectMs: number;
  /** until the head of an answer, from the last byte of the request */
  readonly answerMs: number;
  /** without a byte on a connection that we wait for */
  readonly idleMs: number;
  /** for the whole body of an answer that is not streamed */
  readonly bodyMs: number;
  /** how long a body waits for `100 Continue`: a service that does not know the question never answers it */
  readonly continueMs: number;
  /** an unused connection is closed after this time, before the service or a balancer closes it unseen */
  readonly keptMs: number;
  /** a connection that is older serves no further request, so that new addresses of the service are found */
  readonly ageMs: number;
  /** by up to which part of `ageMs` a connection is old earlier, at random: those that began together do not end together */
  readonly ageJitter: number;
  /** at a time; further requests wait for one */
  readonly connections: number;
  /** unused ones that are kept for later requests */
  readonly kept: number;
}

export const LIMITS: Limits = {
  connectMs: 5_000,
  answerMs: 8_000,
  idleMs: 30_000,
  bodyMs: 30_000,
  continueMs: 1_000,
  keptMs: 15_000,
  ageMs: 300_000,
  ageJitter: 0,
  // More than the data port accepts.
  connections: 512,
  kept: 64,
};

/** Bytes of answers that are not streamed: a page of 1,000 keys of 1 KiB, each encoded as 3 KiB, is the largest. */
const LARGEST_COLLECTED = 4 * 1024 * 1024;
/** Bytes of an answer that reports a failure. */
const LARGEST_REFUSAL = 64 * 1024;
/**
 * Bytes of a body in memory that are written together, and have `idleMs` to leave. A PUT of 1 MiB by fewer and larger
 * writes costs an eighth less processor time.
 */
export const WRITE_AHEAD = 512 * 1024;

export function largestCollected(statusCode: number): number {
  return statusCode < 300 ? LARGEST_COLLECTED : LARGEST_REFUSAL;
}

/** A limit that can be watched for one wait at a time. */
export interface TimeLimit {
  /** @param awaited what is waited for, for the message */
  start(awaited: string, limitMs: number): void;
  stop(): void;
}

/** The time limit of the wait that is under way. */
export function timeLimit(onExpired: (error: Error) => void): TimeLimit {
  let timer: NodeJS.Timeout | undefined;
  const stop = () => clearTimeout(timer);
  const start = (awaited: string, limitMs: number) => {
    stop();
    timer = setTimeout(() => onExpired(lateError(awaited, limitMs)), limitMs);
  };
  return { start, stop };
}

/** @param awaited such as `answer`: no answer within 8 seconds */
export function lateError(awaited: string, limitMs: number): Error {
  return new TransportTimeoutError(`no ${awaited} within ${limitMs / 1_000} seconds`);
}

export class TransportTimeoutError extends Error {
  readonly code = 'ETIMEDOUT';
}
