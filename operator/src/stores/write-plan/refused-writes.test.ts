import { expect, test } from 'vitest';
import { DEPLOYMENTS, NETWORK_POLICIES, SERVICES } from '../../kubernetes/resources.ts';
import type { DesiredObject } from '../desired-objects.ts';
import { identityOf } from '../ownership.ts';
import { appliedObjects } from '../situation.fixture.ts';
import { store } from '../stores.fixture.ts';
import { planWrites } from './plan-writes.ts';
import { podNeeds } from './pod-needs.ts';
import { objectOf, type WriteAction, type WriteOutcome } from './write-action.ts';
import {
  type Answers,
  answering,
  config,
  desired,
  found,
  GATEWAY_PODS,
  live,
  NEW,
  named,
  observedWith,
  refused,
  round,
  success,
  theirs,
  WELL,
} from './write-rounds.fixture.ts';
import { beginRound, NOTHING_WRITTEN, record, refusalsOf } from './write-state.ts';

test.each([403, 409, 422])(
  'pods do not wait for an update that is refused with %d, only for what is not there',
  (status) => {
    const answers = answering(
      [`apply ConfigMap ${config} by force`, refused(status)],
      [`apply ConfigMap ${config}`, refused(status)],
    );
    expect(round(WELL, NOTHING_WRITTEN, answers).done).toContain(`${GATEWAY_PODS} by force`);
    const { done, state } = round(NEW, NOTHING_WRITTEN, answers);
    expect(done).not.toContain(GATEWAY_PODS);
    expect(refusalsOf(state, 0)).toHaveLength(1);
  },
);

const TWICE = refused(422, 'spec.ports[1].name: Duplicate value: "data"');

test('ports of one name are replaced, and the object is applied again at once', () => {
  const answers: Answers = (action, times) =>
    action === 'apply Service orders-gateway by force' && times === 1 ? TWICE : undefined;
  const { done, state } = round(WELL, NOTHING_WRITTEN, answers);
  const first = done.indexOf('apply Service orders-gateway by force');
  expect(done.slice(first, first + 3)).toEqual([
    'apply Service orders-gateway by force',
    'replace-ports Service orders-gateway',
    'apply Service orders-gateway by force',
  ]);
  expect(refusalsOf(state, 0)).toEqual([]);
});

test('ports are replaced once in a round, and the refusal that is reported is that of the apply', () => {
  const again = round(WELL, NOTHING_WRITTEN, answering(['apply Service orders-gateway by force', TWICE]));
  expect(again.done.filter((each) => each === 'replace-ports Service orders-gateway')).toHaveLength(1);
  const never = round(
    WELL,
    NOTHING_WRITTEN,
    answering(
      ['apply Service orders-gateway by force', TWICE],
      ['replace-ports Service orders-gateway', refused(403)],
    ),
  );
  expect(refusalsOf(never.state, 0)).toMatchObject([{ message: expect.stringContaining('Duplicate value') }]);
});

test('a write that is refused round after round is tried again after longer pauses, at least every minute', () => {
  const observed = observedWith(live.filter(({ resource }) => resource !== SERVICES));
  const refusing = answering(['apply Service orders-gateway', refused(403)]);
  let state = NOTHING_WRITTEN;
  const pauses = Array.from({ length: 7 }, () => {
    const after = round(observed, state, refusing);
    state = after.state;
    return after.lookAgainAfterMs / 1_000;
  });
  expect(pauses).toEqual([2, 4, 8, 16, 32, 60, 60]);
  const mended = round(observed, state);
  expect(mended.done).toEqual(['look Service orders-gateway', 'apply Service orders-gateway']);
  expect(round(observed, mended.state, refusing, 10_000).lookAgainAfterMs).toBe(2_000);
});

test('a refused deletion is reported, and not tried twice in a round', () => {
  const obsolete = { ...named(SERVICES, 'orders-gateway'), name: 'old', uid: 'old' };
  const { done, state, lookAgainAfterMs } = round(
    observedWith([...live, obsolete]),
    NOTHING_WRITTEN,
    answering(['delete Service old', refused(403)]),
  );
  expect(done.filter((each) => each === 'delete Service old')).toHaveLength(1);
  expect(refusalsOf(state, 0)).toHaveLength(1);
  expect(lookAgainAfterMs).toBe(2_000);
});

/** Numbers that look random and are the same in each run. */
function* chances(seed: number): Generator<number> {
  for (let value = seed; ; ) {
    value = (value * 1_103_515_245 + 12_345) % 2 ** 31;
    yield value / 2 ** 31;
  }
}

test('a round ends with any answer of the API server, and makes no pod without the objects that it needs and its policies', () => {
  for (let seed = 0; seed < 60; seed++) {
    const chance = chances(seed);
    const next = () => chance.next().value as number;
    const start = live.filter(() => next() < 0.5).map((object) => (next() < 0.3 ? theirs(object) : object));
    const ours = new Set(start.filter(({ controller }) => controller === store().uid).map(identityOf));
    const made = (action: WriteAction) => (action.kind === 'delete' ? undefined : identityOf(action.desired));
    let state = beginRound(NOTHING_WRITTEN, store(), 0);
    let count = 0;
    for (let isEnd = false; !isEnd; ) {
      const { actions } = planWrites(observedWith(start), desired, state, 0);
      isEnd = actions.length === 0;
      for (const action of actions) {
        expect(++count).toBeLessThan(60);
        if (action.kind === 'apply') assertNeeds(action.desired, ours);
        const outcome = anyOutcome(action, next());
        if (outcome.kind === 'applied') ours.add(made(action) ?? '');
        if (outcome.kind === 'found' && outcome.object?.controller === store().uid)
          ours.add(identityOf(objectOf(action)));
        state = record(state, action, outcome, 0);
        if (outcome.kind !== 'applied' && outcome.kind !== 'deleted') break;
      }
    }
  }
});

function assertNeeds(applied: DesiredObject, ours: ReadonlySet<string>): void {
  for (const needed of podNeeds(applied)) expect(ours).toContain(needed);
  if (applied.resource !== DEPLOYMENTS) return;
  const policies = desired.filter(({ resource }) => resource === NETWORK_POLICIES);
  for (const policy of policies) expect(ours).toContain(identityOf(policy));
}

function anyOutcome(action: WriteAction, chance: number): WriteOutcome {
  if (action.kind === 'look') {
    const object = appliedObjects([action.desired])[0];
    if (object === undefined || chance < 0.3) return found(undefined);
    return chance < 0.6
      ? refused(403)
      : found(chance < 0.8 ? theirs(object) : { ...object, store: undefined });
  }
  if (chance < 0.4) return success(action);
  return chance < 0.6 ? refused(409) : chance < 0.8 ? TWICE : refused(403);
}
