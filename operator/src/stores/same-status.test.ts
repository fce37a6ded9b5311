import type { LargePayloadStoreStatus } from '@largepayload/crds';
import { expect, test } from 'vitest';
import type { Condition } from './read-store.ts';
import { sameStatus } from './same-status.ts';
import { wellStore } from './situation.fixture.ts';
import { decideStatus } from './status.ts';

const decided = decideStatus(wellStore());
const [ready, ...others] = decided.conditions as [Condition, ...Condition[]];
const reaped = (lastCompletedTime: string) => ({ retention: { lastCompletedTime } });

test.each<[string, Partial<LargePayloadStoreStatus>]>([
  ['nothing', {}],
  ['fields of others', { pods: { missed: 3 }, deadLetters: 1 }],
  [
    'conditions of others',
    { conditions: [...(decided.conditions ?? []), { ...ready, type: 'InjectionCurrent' }] },
  ],
  ['the order of conditions', { conditions: (decided.conditions ?? []).toReversed() }],
  ['a pass of the reaper some seconds ago', reaped('2026-06-01T11:29:10Z')],
])('a status is not written again for %s', (_what, change) => {
  expect(sameStatus({ ...decided, ...change }, decided)).toBe(true);
});

test.each<[string, Partial<LargePayloadStoreStatus>]>([
  ['another generation', { observedGeneration: 2 }],
  ['another number of pods', { replicas: 1 }],
  ['another message of a condition', { conditions: [{ ...ready, message: 'other words' }, ...others] }],
  ['a missing condition', { conditions: others }],
  ['a pass of the reaper', reaped('2026-06-01T11:00:00Z')],
  ['the first pass of the reaper', { retention: {} }],
])('a status is written again for %s', (_what, change) => {
  expect(sameStatus({ ...decided, ...change }, decided)).toBe(false);
});

test('the first status of a store is written', () => {
  expect(sameStatus({}, decided)).toBe(false);
});

test('the part of another reconciler is compared by its own fields and conditions only', () => {
  const current = { ...ready, type: 'InjectionCurrent' };
  const part = { pods: { injected: 3 }, conditions: [current] };
  const written = { ...decided, ...part, conditions: [...(decided.conditions ?? []), current] };
  expect(sameStatus(written, part)).toBe(true);
  expect(sameStatus({ ...written, pods: { injected: 4 } }, part)).toBe(false);
});
