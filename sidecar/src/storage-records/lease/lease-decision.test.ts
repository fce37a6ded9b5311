import { expect, test } from 'vitest';
import type { FoundLease, Lease } from './lease.ts';
import { decideLease, LEASE_TIMES, type LeaseUser } from './lease-decision.ts';

const NOW = Date.UTC(2026, 5, 1);
const SECOND = 1_000;
const TOLERANCE = 60 * SECOND;

const GATEWAY: LeaseUser = {
  ...{ holder: 'ours', store: 'payments/orders', cluster: 'here' },
  ...{ shared: false, mayWrite: true },
};
const REAPER: LeaseUser = { ...GATEWAY, mayWrite: false };
const SHARING: LeaseUser = { ...GATEWAY, shared: true };

const lease = (age: number, fields: Partial<Lease> = {}): Lease => ({
  ...{ holder: 'ours', store: 'payments/orders', cluster: 'here', since: 0, renewed: NOW - age * SECOND },
  ...{ confirmed: true, released: false, shared: false, ...fields },
});
const theirs = (age: number, fields: Partial<Lease> = {}) =>
  lease(age, { holder: 'theirs', cluster: 'there', ...fields });
const before = (age: number, fields: Partial<Lease> = {}) => lease(age, { holder: 'before', ...fields });

const HOLD = { kind: 'hold', renew: false };
const RENEW = { kind: 'hold', renew: true };
const BEGIN = { kind: 'begin' };
const TAKE_OVER = { kind: 'takeOver' };
const REFUSE = { kind: 'refuse' };
const wait = (seconds: number) => ({ kind: 'wait', milliseconds: seconds * SECOND });

test.each<[title: string, found: FoundLease, seenForMs: number, user: LeaseUser, expected: object]>([
  ['there is none', 'absent', 0, GATEWAY, BEGIN],
  ['there is none, for a reaper', 'absent', 0, REAPER, wait(120)],
  ['there was none for as long as one holds, for a reaper', 'absent', 120, REAPER, HOLD],

  ['ours is new', lease(1), 0, GATEWAY, HOLD],
  ['ours is due', lease(10), 0, GATEWAY, RENEW],
  ['ours is due by what we saw, as its writer’s clock is ahead', lease(-60), 10, GATEWAY, RENEW],
  ['ours is old', lease(100_000), 0, GATEWAY, RENEW],
  ['ours is released', lease(1, { released: true }), 0, GATEWAY, RENEW],
  ['ours does not say that it is shared', lease(1), 0, SHARING, RENEW],
  ['ours says that it is shared', lease(1, { shared: true }), 0, GATEWAY, RENEW],
  ['ours is old, for a reaper', lease(100_000), 0, REAPER, HOLD],
  ['ours is released, for a reaper', lease(1, { released: true }), 0, REAPER, HOLD],

  ['another’s is new', theirs(1), 0, GATEWAY, REFUSE],
  ['another’s is new, for a reaper', theirs(1), 0, REAPER, REFUSE],
  ['another’s may hold by some clock', theirs(180), 0, GATEWAY, REFUSE],
  ['another’s is old, and was just seen', theirs(181), 0, GATEWAY, wait(30)],
  ['another’s is old, and was watched', theirs(181), 30, GATEWAY, TAKE_OVER],
  ['another’s is old, for a reaper', theirs(181), 30, REAPER, wait(15)],
  ['another’s is never renewed, of a clock that is behind', theirs(-3600), 120, GATEWAY, TAKE_OVER],
  ['another’s is of the future', theirs(-1e6), 119, GATEWAY, REFUSE],
  ['another’s was released', theirs(1, { released: true }), 0, GATEWAY, wait(30)],
  ['another’s was released long ago', theirs(1e5, { released: true }), 29, GATEWAY, wait(1)],
  ['another’s was released, and nobody renewed it', theirs(31, { released: true }), 30, GATEWAY, TAKE_OVER],
  ['another’s is outside of any cluster', theirs(1, { cluster: undefined }), 0, GATEWAY, REFUSE],

  ['pods of the resource before are ending', before(1), 0, GATEWAY, wait(120)],
  ['they seem to have ended', before(170), 90, GATEWAY, wait(10)],
  ['the first sight of theirs is late', before(175), 0, GATEWAY, wait(30)],
  ['another store of this cluster', before(1, { store: 'a/b' }), 0, GATEWAY, REFUSE],

  ['both share', theirs(1, { shared: true }), 0, SHARING, HOLD],
  ['both share, and it is due', theirs(10, { shared: true }), 0, SHARING, RENEW],
  ['only they share', theirs(1, { shared: true }), 0, GATEWAY, REFUSE],
  ['only we share', theirs(1), 0, SHARING, REFUSE],

  ['it cannot be read', 'unreadable', 0, GATEWAY, wait(30)],
  ['it cannot be read for long', 'unreadable', 30, GATEWAY, TAKE_OVER],
  ['it cannot be read, for a reaper', 'unreadable', 30, REAPER, wait(15)],
])('%s', (_title, found, seenForMs, user, expected) => {
  const observation = { found, seenForMs: seenForMs * SECOND, now: NOW, clockToleranceMs: TOLERANCE };
  expect(decideLease(observation, user, LEASE_TIMES)).toEqual(expected);
});

test('a holder that lives renews it before anybody has watched it for long enough, whatever its clock says', () => {
  const { lookEveryMs, renewAfterMs, watchForMs, holdsForMs, confirmAfterMs } = LEASE_TIMES;
  // A look is at most a tenth early or late, and each finds it due.
  expect(renewAfterMs).toBeLessThan(lookEveryMs * 0.9);
  expect(watchForMs).toBeGreaterThan(lookEveryMs * 1.1 + confirmAfterMs);
  expect(holdsForMs).toBeGreaterThan(3 * watchForMs);
});
