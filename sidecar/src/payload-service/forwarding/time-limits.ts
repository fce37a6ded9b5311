import type { Limits } from '../../http-client/limits.ts';

/**
 * What a request to the gateway may take (docs/sidecar.md, "Time limits"). A worker's codec gives up after 7 s without a byte,
 * and a second more for every 16 MiB that are being stored, so the answer, which may be a 503 that it retries, comes before.
 */
export interface ForwardingTimes {
  /** from the last byte of a request to the head of its answer, all attempts together */
  readonly answerMs: number;
  /** as long as that for each byte that the gateway has to store */
  readonly storingMsPerByte: number;
  /** for `HEAD /v2/health/head` */
  readonly healthMs: number;
  /** before another attempt; twice as long before each further one */
  readonly pauseMs: number;
}

export const FORWARDING_TIMES: ForwardingTimes = {
  answerMs: 6_000,
  storingMsPerByte: 1_000 / (16 * 1024 * 1024),
  healthMs: 2_500,
  pauseMs: 50,
};

/** Connections that one request may be sent on. */
export const MOST_ATTEMPTS = 3;

export const GATEWAY_LIMITS: Partial<Limits> = {
  // A gateway whose node has lost its network answers no handshake: two attempts that fail leave time for a third.
  connectMs: 2_000,
  // A gateway lets a request wait in line for up to 3 s.
  idleMs: 5_000,
  bodyMs: 5_000,
  // New gateways get connections only when those to the old ones end.
  ageMs: 120_000,
  ageJitter: 0.5,
};
