import { expect, test } from 'vitest';
import { FORWARDING_TIMES, GATEWAY_LIMITS, MOST_ATTEMPTS } from './time-limits.ts';

/** What a worker's codec waits for without a byte (codec/README.md, `idleTimeoutMs`). ms */
const CODEC_IDLE = 7_000;

test('a sidecar answers before the codec gives up, whatever its gateways do', () => {
  expect(FORWARDING_TIMES.answerMs).toBeLessThanOrEqual(CODEC_IDLE - 1_000);
  expect(GATEWAY_LIMITS.idleMs).toBeLessThan(CODEC_IDLE - 1_000);
});

test('in the time of a request, each attempt may find that its gateway does not shake hands', () => {
  expect(MOST_ATTEMPTS * (GATEWAY_LIMITS.connectMs ?? 0)).toBeLessThanOrEqual(FORWARDING_TIMES.answerMs);
});
