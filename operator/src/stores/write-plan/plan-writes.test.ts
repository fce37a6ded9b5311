import { expect, test } from 'vitest';
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  NETWORK_POLICIES,
  SERVICE_ACCOUNTS,
  SERVICES,
} from '../../kubernetes/resources.ts';
import type { DesiredObject } from '../desired-objects.ts';
import type { ObservedObject, ObservedStore } from '../observed.ts';
import { identityOf, identityOfDesired } from '../ownership.ts';
import { appliedObjects, but, wellStore } from '../situation.fixture.ts';
import { desiredFor, ON_S3, store } from '../stores.fixture.ts';
import { planWrites } from './plan-writes.ts';
import { podNeeds } from './pod-needs.ts';
import { identityOfAction, type WriteAction, type WriteOutcome } from './write-action.ts';
import {
  beginRound,
  foreignObjects,
  NOTHING_WRITTEN,
  record,
  refusalsOf,
  type WriteState,
} from './write-state.ts';

const desired = desiredFor();
const [config = ''] = desired
  .filter(({ resource }) => resource === CONFIG_MAPS)
  .map(({ object }) => object.metadata.name);
const observedWith = (objects: readonly ObservedObject[]): ObservedStore =>
  but(wellStore(), { objects }).observed;
const NEW = observedWith([]);
const live = appliedObjects(desired);
const WELL = observedWith(live);

const text = (action: WriteAction): string => {
  if (action.kind === 'delete') return `delete ${action.object.resource.kind} ${action.object.name}`;
  const { object } = action.desired;
  const how = action.kind === 'apply' && action.force ? ' by force' : '';
  return `${action.kind} ${object.kind} ${object.metadata.name}${how}`;
};

type Answers = (action: string, times: number) => WriteOutcome | undefined;

/** An API server that takes everything but what `answers` says, and keeps it. */
function round(
  observed: ObservedStore,
  before: WriteState = NOTHING_WRITTEN,
  answers: Answers = () => undefined,
  nowMs = 0,
) {
  const done: string[] = [];
  let state = beginRound(before, observed.store);
  for (;;) {
    const plan = planWrites(observed, desired, state, nowMs);
    if (plan.actions.length === 0) return { done, state, lookAgainAfterMs: plan.lookAgainAfterMs };
    for (const action of plan.actions) {
      const name = text(action);
      done.push(name);
      if (done.length > 100) throw new Error(`no end: ${done.join(', ')}`);
      const outcome = answers(name, done.filter((each) => each === name).length) ?? success(action);
      state = record(state, action, outcome, nowMs);
      if (outcome.kind !== 'applied' && outcome.kind !== 'deleted') break;
    }
  }
}

function success(action: WriteAction): WriteOutcome {
  if (action.kind === 'delete') return { kind: 'deleted' };
  if (action.kind === 'replace-ports') return { kind: 'patched' };
  const object = appliedObjects([action.desired])[0];
  if (object === undefined) throw new Error('nothing was applied');
  return action.kind === 'look' ? { kind: 'found', object: undefined } : { kind: 'applied', object };
}

function refused(status: number, message = 'refused', resource = SERVICES): WriteOutcome {
  return { kind: 'refused', status, refusal: { resource, name: 'orders', reason: 'Refused', message } };
}
const theirs = (object: ObservedObject): ObservedObject => ({
  ...object,
  store: undefined,
  controller: 'another uid',
});
const named = (resource: object, name: string) => {
  const found = live.find((object) => object.resource === resource && object.name === name);
  if (found === undefined) throw new Error(`there is no ${name}`);
  return found;
};
const found = (object: ObservedObject | undefined): WriteOutcome => ({ kind: 'found', object });
const answering =
  (...pairs: readonly [action: string, outcome: WriteOutcome][]): Answers =>
  (action) =>
    pairs.find(([name]) => name === action)?.[1];

const GATEWAY_PODS = 'apply Deployment orders-gateway';
const REAPER_PODS = 'apply Deployment orders-reaper';

test('a new store gets its objects in their order, each account after a look', () => {
  const { done, lookAgainAfterMs } = round(NEW);
  expect(done).toEqual([
    'look ServiceAccount orders-gateway',
    'apply ServiceAccount orders-gateway',
    'look ServiceAccount orders-reaper',
    'apply ServiceAccount orders-reaper',
    `apply ConfigMap ${config}`,
    'apply NetworkPolicy orders-gateway',
    'apply NetworkPolicy orders-reaper',
    'apply PodDisruptionBudget orders-gateway',
    'apply Service orders-gateway',
    GATEWAY_PODS,
    REAPER_PODS,
  ]);
  expect(lookAgainAfterMs).toBe(Number.POSITIVE_INFINITY);
});

test('a plan holds back pods whose account was not looked at yet', () => {
  const { actions } = planWrites(NEW, desired, NOTHING_WRITTEN, 0);
  expect(actions.map(text)).not.toContain(GATEWAY_PODS);
  expect(actions.map(text)).toContain('apply Service orders-gateway');
});

test('a process that has just begun applies everything once, by force, and then leaves it alone', () => {
  const first = round(WELL);
  expect(first.done).toEqual(
    desired.map(({ object }) => `apply ${object.kind} ${object.metadata.name} by force`),
  );
  expect(round(WELL, first.state).done).toEqual([]);
});

test('an object that somebody has changed is repaired after the time that informers may lag', () => {
  const { state } = round(WELL);
  const changed = observedWith(
    live.map((object) => (object.resource === SERVICES ? { ...object, resourceVersion: '2' } : object)),
  );
  expect(round(changed, state, undefined, 500)).toMatchObject({ done: [], lookAgainAfterMs: 1_500 });
  expect(round(changed, state, undefined, 2_000).done).toEqual(['apply Service orders-gateway by force']);
});

test('a store that comes to keep for ever loses its reaper after the rest was applied', () => {
  const forever = { storage: ON_S3.storage, retention: { ttl: 'Forever' }, gateway: ON_S3.gateway };
  const wanted = desiredFor(forever);
  const observed = { ...WELL, store: store(forever) };
  const { actions } = planWrites(observed, wanted, NOTHING_WRITTEN, 0);
  expect(actions.map(text).slice(-2)).toEqual([
    'delete NetworkPolicy orders-reaper',
    'delete Deployment orders-reaper',
  ]);
});

test.each<[string, ObservedObject, string[], string[]]>([
  [
    'an account',
    named(SERVICE_ACCOUNTS, 'orders-gateway'),
    [GATEWAY_PODS],
    [REAPER_PODS, 'apply Service orders-gateway'],
  ],
  [
    'a configuration',
    named(CONFIG_MAPS, config),
    [GATEWAY_PODS, REAPER_PODS],
    ['apply Service orders-gateway'],
  ],
  [
    'a policy',
    named(NETWORK_POLICIES, 'orders-gateway'),
    [GATEWAY_PODS, REAPER_PODS, 'apply Service orders-gateway'],
    [`apply ConfigMap ${config}`],
  ],
  ['a Service', named(SERVICES, 'orders-gateway'), [], [GATEWAY_PODS, REAPER_PODS]],
])(
  'where %s belongs to somebody else, nothing that needs it is made, and it is tried again',
  (_what, object, without, within) => {
    const look = `look ${object.resource.kind} ${object.name}`;
    const observed = observedWith([theirs(object)]);
    const { done, lookAgainAfterMs } = round(
      observed,
      NOTHING_WRITTEN,
      answering([look, found(theirs(object))]),
    );
    expect(done.filter((each) => each === look)).toHaveLength(1);
    expect(done).not.toContain(`apply ${object.resource.kind} ${object.name}`);
    for (const each of without) expect(done).not.toContain(each);
    for (const each of within) expect(done).toContain(each);
    expect(lookAgainAfterMs).toBe(2_000);
  },
);

test('an object that was in the way is made as soon as a look finds that it has gone', () => {
  const service = named(SERVICES, 'orders-gateway');
  const before = round(
    NEW,
    NOTHING_WRITTEN,
    answering(
      ['apply Service orders-gateway', refused(409)],
      ['look Service orders-gateway', found(theirs(service))],
    ),
  );
  expect(foreignObjects(before.state, store())).toEqual([theirs(service)]);
  const { done, state } = round(observedWith(foreignObjects(before.state, store())), before.state);
  expect(done).toContain('apply Service orders-gateway');
  expect(foreignObjects(state, store())).toEqual([]);
});

test('what is ours without our labels conflicts, is found by a look, and is applied by force', () => {
  const service = named(SERVICES, 'orders-gateway');
  const unlabelled = { ...service, store: undefined };
  const { done, state } = round(
    NEW,
    NOTHING_WRITTEN,
    answering(
      ['apply Service orders-gateway', refused(409)],
      ['look Service orders-gateway', found(unlabelled)],
    ),
  );
  expect(done.filter((each) => each.includes('Service orders'))).toEqual([
    'apply Service orders-gateway',
    'look Service orders-gateway',
    'apply Service orders-gateway by force',
  ]);
  expect(refusalsOf(state, 0)).toEqual([]);
});

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

test('what is refused round after round is tried again after longer pauses, at least every minute', () => {
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
  expect(mended.done).toEqual(['apply Service orders-gateway']);
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

test('whatever the API server answers, a round ends, and no pod is made without what it needs and its policies', () => {
  for (let seed = 0; seed < 60; seed++) {
    const chance = chances(seed);
    const next = () => chance.next().value as number;
    const start = live.filter(() => next() < 0.5).map((object) => (next() < 0.3 ? theirs(object) : object));
    const ours = new Set(start.filter(({ controller }) => controller === store().uid).map(identityOf));
    const made = (action: WriteAction) =>
      action.kind === 'delete' ? undefined : identityOfDesired(action.desired);
    let state = beginRound(NOTHING_WRITTEN, store());
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
          ours.add(identityOfAction(action));
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
  for (const policy of policies) expect(ours).toContain(identityOfDesired(policy));
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
