import { FAULTS, type FaultKind, type FaultRule } from '@largepayload/testing/fault-proxy/fault-rules';

export interface Scenario {
  readonly name: string;
  readonly rules: readonly FaultRule[];
  /** ms; 5,000 by default */
  readonly duration?: number;
  /** ms in the middle of the scenario in which connections are refused */
  readonly refusedFor?: number;
  /** the service has to report that it is not ready */
  readonly unready?: true;
}

const HOUR = 3_600_000;

/** One kind of fault at a time, often enough that many operations meet it more than once. */
export const EACH_KIND: readonly Scenario[] = [
  { name: 'no faults', rules: [] },
  { name: 'latency up to 2 s', rules: [{ kind: 'latency', probability: 0.5, upToMs: 2_000 }] },
  { name: 'reset within a request', rules: [{ kind: 'resetRequest', probability: 0.3 }] },
  { name: 'reset within an answer', rules: [{ kind: 'resetResponse', probability: 0.3 }] },
  { name: '500 in bursts', rules: [{ kind: 'error500', probability: 0.05, burst: 15 }] },
  { name: '503 SlowDown in bursts', rules: [{ kind: 'slowDown', probability: 0.05, burst: 15 }] },
  {
    name: '503 with Retry-After: 1',
    rules: [
      { kind: 'slowDown', probability: 0.8, retryAfter: 1, schedule: { everyMs: 2_000, forMs: 1_000 } },
    ],
  },
  { name: 'black hole', rules: [{ kind: 'blackHole', probability: 0.15 }] },
  { name: 'answer stalls', rules: [{ kind: 'stall', probability: 0.2 }] },
  { name: 'answer cut short', rules: [{ kind: 'truncate', probability: 0.3 }] },
  { name: 'wrong bytes in an answer', rules: [{ kind: 'wrongBytes', probability: 0.3 }] },
  { name: 'wrong bytes in a request', rules: [{ kind: 'alterRequest', probability: 0.3 }] },
  { name: '409 conflict', rules: [{ kind: 'conflict', probability: 0.5 }] },
  { name: 'answer lost after commit', rules: [{ kind: 'loseReply', probability: 0.5 }] },
  { name: 'connections refused', rules: [], refusedFor: 2_000 },
  ...[HOUR, -HOUR, 30_000].map((shiftMs) => ({
    name: `Date ${shiftMs > 0 ? '+' : '−'}${Math.abs(shiftMs) / 1_000} s`,
    rules: [{ kind: 'shiftDate', probability: 1, shiftMs }] as const,
    unready: true as const,
  })),
];

/** All kinds of faults, those that come close to an outage less often. */
export const ALL_AT_ONCE: Scenario = {
  name: 'all at once',
  duration: 15_000,
  rules: (Object.keys(FAULTS) as FaultKind[]).map((kind) => ({
    kind,
    probability: kind === 'blackHole' || kind === 'stall' ? 0.01 : 0.04,
    upToMs: 500,
    shiftMs: HOUR,
  })),
  refusedFor: 500,
};
