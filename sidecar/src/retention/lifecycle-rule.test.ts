import { putTimeLimit } from '@largepayload/crds';
import { describe, expect, test } from 'vitest';
import { windowForPut, windowWidth } from '../keys/window.ts';
import { lifecycleConfiguration } from './lifecycle-rule.ts';

const SECOND = 1_000;
const HOUR = 3_600 * SECOND;
const DAY = 24 * HOUR;

function daysOf(longestTtl: number, clockToleranceMs = 60 * SECOND): number {
  const configuration = lifecycleConfiguration({ prefix: '', longestTtl, clockToleranceMs });
  return (configuration as { Rules: [{ Expiration: { Days: number } }] }).Rules[0].Expiration.Days;
}

test('concerns the windows below the prefix alone', () => {
  expect(lifecycleConfiguration({ prefix: 'team/', longestTtl: 30 * DAY, clockToleranceMs: 0 })).toEqual({
    Rules: [
      {
        ID: 'payload-store-backstop',
        Status: 'Enabled',
        Filter: { Prefix: 'team/expires-' },
        Expiration: { Days: 33 },
        NoncurrentVersionExpiration: { NoncurrentDays: 1 },
      },
      ...['clock', 'lease', 'write-check'].map((name) => ({
        ID: `payload-store-${name}`,
        Status: 'Enabled',
        Filter: { Prefix: `team/${name === 'write-check' ? name : `${name}.json`}` },
        NoncurrentVersionExpiration: { NoncurrentDays: 1 },
      })),
    ],
  });
});

describe('no payload goes before its TTL is over', () => {
  test.each([8 * SECOND, 100 * SECOND, HOUR, 23 * HOUR, DAY, 7 * DAY, 30 * DAY, 365 * DAY, 3650 * DAY])(
    'TTL %i ms',
    (ttl) => {
      const tolerance = 60 * SECOND;
      const created = 1_800_000_000_123;
      const { end } = windowForPut(created, ttl, tolerance);
      // The last hit that may still be acknowledged in the window of an object as old as can be.
      const lastHit = end - ttl - putTimeLimit(ttl) - tolerance;
      const oldest = lastHit - windowWidth(ttl);
      expect(oldest + daysOf(ttl, tolerance) * DAY).toBeGreaterThanOrEqual(lastHit + ttl + DAY);
    },
  );

  test('and none stays much longer than that', () => {
    expect(daysOf(8 * SECOND)).toBe(2);
    expect(daysOf(7 * DAY)).toBe(9);
  });
});
