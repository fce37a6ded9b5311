import { expect, test } from 'vitest';
import { CONFIG_MAPS } from '../../kubernetes/resources.ts';
import { desiredObjects } from '../desired-objects.ts';
import { appliedObjects, but, wellStore } from '../situation.fixture.ts';
import { BUNDLE, ON_S3, SETTINGS, store } from '../stores.fixture.ts';
import { planWrites } from './plan-writes.ts';
import type { WriteAction, WriteOutcome } from './write-action.ts';
import { success } from './write-rounds.fixture.ts';
import { beginRound, NOTHING_WRITTEN, record, refusalsOf, type WriteState } from './write-state.ts';

const ALLOWING = { ...ON_S3, allowedNamespaces: ['late', 'starters'] };
const desired = desiredObjects(store(ALLOWING), { ...SETTINGS, bundle: BUNDLE });
const present = appliedObjects(desired.filter(({ namespace }) => namespace === 'payments'));
const { observed } = but(wellStore(ALLOWING), { objects: present });
const NOT_FOUND = 'namespaces "late" not found (HTTP 404)';
const APPLY_LATE = 'apply late/orders.payments-ca';

const textOf = (action: WriteAction) => {
  const { namespace, name } = action.kind === 'delete' ? action.object : action.desired;
  return `${action.kind} ${namespace}/${name}`;
};
const refusedIn = (namespace: string): WriteOutcome => ({
  ...{ kind: 'refused', status: 404 },
  refusal: { resource: CONFIG_MAPS, namespace, name: 'orders.payments-ca', message: NOT_FOUND },
});

/** A round in which these actions are refused. */
function round(
  before: WriteState,
  nowMs: number,
  refused: readonly string[] = [APPLY_LATE],
  wanted = desired,
  postponedInAll = 0,
) {
  const done: string[] = [];
  let state = beginRound(before, observed.store, nowMs, postponedInAll);
  for (;;) {
    const plan = planWrites(observed, wanted, state, nowMs);
    if (plan.actions.length === 0) return { done, state, lookAgainAfterMs: plan.lookAgainAfterMs };
    for (const action of plan.actions) {
      const text = textOf(action);
      done.push(text);
      if (done.length > 100) throw new Error(`no end: ${done.join(', ')}`);
      const namespace = text.split(/[ /]/)[1] ?? '';
      const outcome = refused.includes(text) ? refusedIn(namespace) : success(action);
      state = record(state, action, outcome, nowMs);
      if (outcome.kind !== 'applied') break;
    }
  }
}

test('what is refused in another namespace is tried again at its own growing pace, however many rounds there are', () => {
  let state = NOTHING_WRITTEN;
  const tries: number[] = [];
  for (let nowMs = 0; nowMs <= 300_000; nowMs += 500) {
    const after = round(state, nowMs);
    state = after.state;
    if (after.done.includes(APPLY_LATE)) tries.push(nowMs);
    expect(after.lookAgainAfterMs).toBeGreaterThan(0);
    expect(after.lookAgainAfterMs).toBeLessThanOrEqual(60_000);
    expect(refusalsOf(state, nowMs)).toMatchObject([{ namespace: 'late', message: NOT_FOUND }]);
  }
  // The pace counts from the round after the refusal.
  const pauses = tries.slice(1).map((time, index) => time - (tries[index] ?? 0));
  expect(pauses).toEqual([2_500, 4_500, 8_500, 16_500, 32_500, 60_500, 60_500, 60_500]);
});

test('where many stores name namespaces that do not exist, all of them together are tried ten times a second', () => {
  let state = NOTHING_WRITTEN;
  const tries: number[] = [];
  for (let nowMs = 0; nowMs <= 4_000_000; nowMs += 10_000) {
    const after = round(state, nowMs, [APPLY_LATE], desired, 6_400);
    state = after.state;
    if (after.done.includes(APPLY_LATE)) tries.push(nowMs);
  }
  const pauses = tries.slice(1).map((time, index) => time - (tries[index] ?? 0));
  expect(Math.max(...pauses)).toBe(650_000);
  expect(pauses.slice(-3)).toEqual([650_000, 650_000, 650_000]);
});

test('what is refused in another namespace delays nothing else of the store', () => {
  const first = round(NOTHING_WRITTEN, 0);
  expect(first.done).toContain('apply starters/orders.payments-ca');
  expect(round(first.state, 500).state.troubledRounds).toBe(0);
});

test('what was refused in another namespace is forgotten once it succeeds, or is wanted no longer', () => {
  const second = round(round(NOTHING_WRITTEN, 0).state, 500);
  expect(second.done).toEqual([]);
  const mended = round(second.state, 10_000, []);
  expect(mended.done).toContain(APPLY_LATE);
  expect(round(mended.state, 10_500).state.postponed.size).toBe(0);
  const given = desired.filter(({ namespace }) => namespace !== 'late');
  const later = round(second.state, 200_000, [], given);
  expect(later.state.postponed.size).toBe(0);
  expect(later.lookAgainAfterMs).toBe(Number.POSITIVE_INFINITY);
});

test('a refusal in the namespace of the store keeps the pace of its rounds', () => {
  const refused = round(NOTHING_WRITTEN, 0, ['apply payments/orders-gateway']);
  expect(refused.lookAgainAfterMs).toBe(2_000);
  const again = round(refused.state, 500, ['apply payments/orders-gateway']);
  expect(again.done).toContain('apply payments/orders-gateway');
  expect(again.state.troubledRounds).toBe(1);
});
