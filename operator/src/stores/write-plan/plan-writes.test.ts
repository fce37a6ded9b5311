import { expect, test } from 'vitest';
import { CONFIG_MAPS, NETWORK_POLICIES, SERVICE_ACCOUNTS, SERVICES } from '../../kubernetes/resources.ts';
import type { ObservedObject } from '../observed.ts';
import { desiredFor, ON_S3, store } from '../stores.fixture.ts';
import { planWrites } from './plan-writes.ts';
import {
  answering,
  config,
  desired,
  found,
  GATEWAY_PODS,
  live,
  NEW,
  named,
  observedWith,
  REAPER_PODS,
  reaperConfig,
  refused,
  round,
  text,
  theirs,
  WELL,
} from './write-rounds.fixture.ts';
import { foreignObjects, NOTHING_WRITTEN, refusalsOf } from './write-state.ts';

test('a new store gets its objects in their order, after a look where an apply may meet no conflict', () => {
  const { done, lookAgainAfterMs } = round(NEW);
  expect(done).toEqual([
    'look ServiceAccount orders-gateway',
    'apply ServiceAccount orders-gateway',
    'look ServiceAccount orders-reaper',
    'apply ServiceAccount orders-reaper',
    `apply ConfigMap ${config}`,
    `apply ConfigMap ${reaperConfig}`,
    'apply NetworkPolicy orders-gateway',
    'apply NetworkPolicy orders-reaper',
    'look PodDisruptionBudget orders-gateway',
    'apply PodDisruptionBudget orders-gateway',
    'look Service orders-gateway',
    'apply Service orders-gateway',
    GATEWAY_PODS,
    REAPER_PODS,
  ]);
  expect(lookAgainAfterMs).toBe(Number.POSITIVE_INFINITY);
});

test('a plan holds back pods whose account was not looked at yet', () => {
  const { actions } = planWrites(NEW, desired, NOTHING_WRITTEN, 0);
  expect(actions.map(text)).not.toContain(GATEWAY_PODS);
  expect(actions.map(text)).toContain('apply NetworkPolicy orders-gateway');
});

test('a process that has just begun applies everything once, by force, and then leaves it alone', () => {
  const first = round(WELL);
  expect(first.done).toEqual(
    desired.map(({ object }) => `apply ${object.kind} ${object.metadata.name} by force`),
  );
  expect(round(WELL, first.state).done).toEqual([]);
});

test('an object that others have changed is repaired after the time that informers may lag', () => {
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
    'the configuration of the gateway',
    named(CONFIG_MAPS, config),
    [GATEWAY_PODS],
    [REAPER_PODS, 'apply Service orders-gateway'],
  ],
  [
    'the configuration of the reaper',
    named(CONFIG_MAPS, reaperConfig),
    [REAPER_PODS],
    [GATEWAY_PODS, 'apply Service orders-gateway'],
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

test('an object of ours without our labels conflicts, is found by a look, and is applied by force', () => {
  const policy = named(NETWORK_POLICIES, 'orders-gateway');
  const unlabelled = { ...policy, store: undefined };
  const { done, state } = round(
    NEW,
    NOTHING_WRITTEN,
    answering(
      ['apply NetworkPolicy orders-gateway', refused(409)],
      ['look NetworkPolicy orders-gateway', found(unlabelled)],
    ),
  );
  expect(done.filter((each) => each.includes('NetworkPolicy orders-gateway'))).toEqual([
    'apply NetworkPolicy orders-gateway',
    'look NetworkPolicy orders-gateway',
    'apply NetworkPolicy orders-gateway by force',
  ]);
  expect(refusalsOf(state, 0)).toEqual([]);
});
