import { describe, expect, test } from 'vitest';
import { SETTINGS } from '../../injection/pods.fixture.ts';
import { policyObjects } from '../../injection/policy/policy-objects.ts';
import type { KubernetesObject } from '../../kubernetes/api.ts';
import { MUTATING_ADMISSION_POLICIES } from '../../kubernetes/resources.ts';
import type { DesiredObject } from '../../stores/desired-objects.ts';
import type { ObservedObject } from '../../stores/observed.ts';
import { identityOf } from '../../stores/ownership.ts';
import type { StoreSpec } from '../../stores/read-store.ts';
import { appliedAs, versionOf } from '../../stores/write-plan/applied-object.ts';
import { observedPolicy } from './observed-policy.ts';
import { type PolicySituation, planPolicies } from './policy-plan.ts';

const settings = { ...SETTINGS, failurePolicy: 'Fail' as const, operatorNamespace: 'operators' };
const spec = { thresholdSize: 128_000 } as StoreSpec;
const DESIRED = policyObjects({ name: 'documents', namespace: 'orders', spec }, settings);
const NEWER = policyObjects({ name: 'documents', namespace: 'orders', spec }, { ...settings, version: '2' });

/** The objects as the API server has them. */
const served = (desired: readonly DesiredObject[], metadata: object = {}): readonly ObservedObject[] =>
  desired.map(({ resource, object }, index) => {
    const given = { uid: `uid-${index}`, resourceVersion: '1', generation: 1, ...metadata };
    return observedPolicy(resource, {
      ...object,
      metadata: { ...object.metadata, ...given },
    } as KubernetesObject);
  });
const applied = (desired: readonly DesiredObject[], live: readonly ObservedObject[]) =>
  new Map(
    desired.map((each, index) => [
      identityOf(each),
      appliedAs(undefined, each.hash, versionOf(live[index] as ObservedObject), 0),
    ]),
  );
const plan = (situation: Partial<PolicySituation>) =>
  planPolicies({ live: [], desired: DESIRED, applied: new Map(), nowMs: 0, ...situation });
const names = (objects: readonly (ObservedObject | { desired: DesiredObject })[]) =>
  objects.map((each) => ('desired' in each ? each.desired.name : each.name).split('.dev')[1] || 'policy');

describe('what is applied', () => {
  test('a store without policy gets all three objects, without taking over those of others', () => {
    const { apply, remove } = plan({});
    expect(names(apply)).toEqual(['policy', '-namespace', '-pod']);
    expect(apply.map(({ force }) => force)).toEqual([false, false, false]);
    expect(remove).toEqual([]);
  });

  test('nothing is written at a start if all hashes are right', () => {
    const { apply, remove, adopted } = plan({ live: served(DESIRED) });
    expect([apply, remove]).toEqual([[], []]);
    expect(adopted).toHaveLength(3);
  });

  test('a changed sidecar changes the policy by force, and not the bindings', () => {
    const { apply } = plan({ live: served(DESIRED), desired: NEWER });
    expect(names(apply)).toEqual(['policy']);
    expect(apply[0]?.force).toBe(true);
  });

  test('an edit of somebody else is repaired after a pause', () => {
    const memory = applied(DESIRED, served(DESIRED));
    const live = served(DESIRED, { generation: 2 });
    expect(plan({ live, applied: memory, nowMs: 0 })).toMatchObject({ apply: [], lookAgainAfterMs: 2_000 });
    expect(names(plan({ live, applied: memory, nowMs: 2_000 }).apply)).toHaveLength(3);
  });

  test('an object that is being deleted is applied once it has gone', () => {
    const live = served(DESIRED, { deletionTimestamp: '2026-01-01T00:00:00Z' });
    expect(plan({ live })).toMatchObject({ apply: [], remove: [] });
  });
});

describe('what is removed', () => {
  test('the objects of a store that has gone are removed, bindings first', () => {
    const { apply, remove } = plan({ live: served(DESIRED), desired: [] });
    expect(apply).toEqual([]);
    expect(names(remove)).toEqual(['-namespace', '-pod', 'policy']);
  });

  test('a store that cannot be read keeps everything', () => {
    expect(plan({ live: served(DESIRED), desired: undefined })).toMatchObject({ apply: [], remove: [] });
  });
});

describe('whose object it is', () => {
  const [policy] = DESIRED;
  const object = policy?.object as KubernetesObject;
  const observed = (metadata: object) =>
    observedPolicy(MUTATING_ADMISSION_POLICIES, { ...object, metadata: { ...object.metadata, ...metadata } });

  test('labels and name together name the store', () => {
    expect(observed({})).toMatchObject({ store: 'documents', storeNamespace: 'orders' });
  });

  test.each<[string, object]>([
    ['another name', { name: 'theirs' }],
    ['the name of the policy of another store', { name: 'images.orders.inject.largepayload.dev' }],
    ['the name of a binding', { name: 'documents.orders.inject.largepayload.dev-pod' }],
    ['no labels', { labels: {} }],
    ['no namespace label', { labels: { 'largepayload.dev/store': 'documents' } }],
  ])('an object with %s belongs to no store', (_what, metadata) => {
    expect(observed(metadata).store).toBeUndefined();
  });
});
