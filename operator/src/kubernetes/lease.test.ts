import { expect, test } from 'vitest';
import { microTime, newLease, Observation, released, takenBy } from './lease.ts';

const candidate = { identity: 'one', durationSeconds: 15, now: new Date('2026-03-04T05:06:07.089Z') };
const lease = newLease('system', 'operator', candidate);

test('a new lease belongs to its maker', () => {
  expect(lease).toEqual({
    ...{ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' },
    metadata: { namespace: 'system', name: 'operator' },
    spec: {
      ...{ holderIdentity: 'one', leaseDurationSeconds: 15, leaseTransitions: 0 },
      ...{ acquireTime: '2026-03-04T05:06:07.089000Z', renewTime: '2026-03-04T05:06:07.089000Z' },
    },
  });
});

test('a renewal changes only the time, a takeover counts a transition, and unknown fields stay', () => {
  const now = new Date('2026-03-04T05:06:10Z');
  const rich = { ...lease, spec: { ...(lease.spec as object), strategy: 'OldestEmulationVersion' } };
  expect(takenBy(rich, { ...candidate, now }).spec).toEqual({
    ...rich.spec,
    renewTime: microTime(now),
  });
  expect(takenBy(rich, { ...candidate, identity: 'two', now }).spec).toEqual({
    ...rich.spec,
    ...{ holderIdentity: 'two', leaseTransitions: 1, acquireTime: microTime(now), renewTime: microTime(now) },
  });
});

test.each([
  ['held by oneself', 'one', 0, true],
  ['just seen', 'two', 0, false],
  ['seen unchanged for less than its duration', 'two', 14_999, false],
  ['seen unchanged for its duration', 'two', 15_000, true],
])('a lease %s', (_, identity, later, isFree) => {
  const observation = new Observation();
  observation.see(lease, 1_000);
  observation.see(lease, 1_000 + later);
  expect(observation.isFree(identity, 1_000 + later, 60)).toBe(isFree);
});

test('a renewal counts from when it was seen, whatever times are in it', () => {
  const observation = new Observation();
  observation.see(lease, 0);
  const ancient = takenBy(lease, { ...candidate, now: new Date(0) });
  observation.see(ancient, 14_000);
  expect(observation.isFree('two', 28_999, 60)).toBe(false);
  expect(observation.isFree('two', 29_000, 60)).toBe(true);
});

test('a change of another field does not prolong a lease', () => {
  const observation = new Observation();
  observation.see(lease, 0);
  const touched = { ...lease, metadata: { ...lease.metadata, resourceVersion: '9', labels: { a: 'b' } } };
  observation.see(touched, 14_000);
  expect(observation.isFree('two', 15_000, 60)).toBe(true);
});

test('a released lease is free at once', () => {
  const observation = new Observation();
  observation.see(lease, 0);
  observation.see(released(lease, candidate.now), 1);
  expect(observation.holder).toBeUndefined();
  expect(observation.isFree('two', 1, 60)).toBe(true);
});
