import { at, listAt, textAt } from '@largepayload/crds';
import { describe, expect, test } from 'vitest';
import type { StoreSpec } from '../../stores/read-store.ts';
import { SETTINGS } from '../pods.fixture.ts';
import { type PolicySettings, policyObjects } from './policy-objects.ts';

const settings: PolicySettings = { ...SETTINGS, failurePolicy: 'Fail', operatorNamespace: 'operators' };
const store = (name: string, namespace: string, allowedNamespaces: readonly string[] = []) => ({
  ...{ name, namespace },
  spec: { thresholdSize: 128_000, allowedNamespaces } as unknown as StoreSpec,
});
const DOCUMENTS = store('documents', 'orders', ['billing']);
const specs = (of: ReturnType<typeof store>, given: PolicySettings = settings) =>
  policyObjects(of, given).map(({ object }) => object.spec);

/** The values of an `In` requirement, by label. */
function values(spec: unknown, key: string, ...selector: readonly string[]): unknown {
  const requirements = listAt(spec, ...selector, 'matchExpressions');
  return requirements.find((each) => each.key === key && each.operator === 'In')?.values;
}

/** The namespaces of a policy. */
const namesOf = ([policy]: readonly unknown[]) =>
  values(policy, 'kubernetes.io/metadata.name', 'matchConstraints', 'namespaceSelector');

test('a store has a policy and two bindings, named and labelled by the store, the policy first', () => {
  const objects = policyObjects(DOCUMENTS, settings);
  expect(objects.map(({ object, name }) => [object.kind, name])).toEqual([
    ['MutatingAdmissionPolicy', 'documents.orders.inject.largepayload.dev'],
    ['MutatingAdmissionPolicyBinding', 'documents.orders.inject.largepayload.dev-namespace'],
    ['MutatingAdmissionPolicyBinding', 'documents.orders.inject.largepayload.dev-pod'],
  ]);
  for (const { object, hash } of objects) {
    expect(object.metadata.labels).toMatchObject({
      'app.kubernetes.io/managed-by': 'large-payload-operator',
      'largepayload.dev/store': 'documents',
      'largepayload.dev/store-namespace': 'orders',
    });
    expect(object.metadata.annotations).toEqual({ 'largepayload.dev/object-hash': hash });
    expect(object.metadata).not.toHaveProperty('ownerReferences');
  }
  for (const { object } of objects.slice(1)) expect(textAt(object.spec, 'policyName')).toBe(objects[0]?.name);
});

test('the policy is limited to the namespaces that may use the store, each once', () => {
  const allowed = ['billing', 'orders', 'billing'];
  expect(namesOf(specs(store('documents', 'orders', allowed)))).toEqual(['orders', 'billing']);
});

test('kube-system and the namespace of the operator are in no policy, though the store allows them', () => {
  expect(namesOf(specs(store('documents', 'orders', ['kube-system', 'operators'])))).toEqual(['orders']);
});

test.each(['kube-system', 'operators'])(
  'a store of %s that allows no other namespace has no policy',
  (namespace) => {
    expect(policyObjects(store('documents', namespace), settings)).toEqual([]);
    expect(namesOf(specs(store('documents', namespace, ['billing'])))).toEqual(['billing']);
  },
);

test('a store whose name no label can mean has no policy', () => {
  expect(policyObjects(store('false', 'orders'), settings)).toEqual([]);
});

describe('the labels that bindings select', () => {
  const labels = (of: ReturnType<typeof store>) => {
    const [, byNamespace, byPod] = specs(of);
    const found = values(byNamespace, 'largepayload.dev/inject', 'matchResources', 'namespaceSelector');
    expect(values(byPod, 'largepayload.dev/inject', 'matchResources', 'objectSelector')).toEqual(found);
    return found;
  };

  test('are the short and the long name, and true', () => {
    expect(labels(DOCUMENTS)).toEqual(['true', 'documents', 'documents.orders']);
  });

  test('leave out a long name that is longer than a label may be', () => {
    expect(labels(store('s'.repeat(40), 'n'.repeat(23)))).toEqual(['true', 's'.repeat(40)]);
    expect(labels(store('s'.repeat(40), 'n'.repeat(22)))).toHaveLength(3);
  });

  test('name a store called true once', () => {
    expect(labels(store('true', 'orders'))).toEqual(['true', 'true.orders']);
  });

  test('count of a namespace only where the pod has no label', () => {
    const [, byNamespace] = specs(DOCUMENTS);
    expect(at(byNamespace, 'matchResources', 'objectSelector', 'matchExpressions')).toEqual([
      { key: 'largepayload.dev/inject', operator: 'DoesNotExist' },
    ]);
  });
});

test.each(['Fail', 'Ignore'] as const)('the failure policy %s is that of the policy', (failurePolicy) => {
  const [policy] = specs(DOCUMENTS, { ...settings, failurePolicy });
  expect(policy).toMatchObject({ failurePolicy, reinvocationPolicy: 'IfNeeded' });
});

test('the hash of the policy changes with image, version and threshold, and that of its bindings does not', () => {
  const hashes = (of: typeof DOCUMENTS, given = settings) => policyObjects(of, given).map(({ hash }) => hash);
  const [policy, ...bindings] = hashes(DOCUMENTS);
  const larger = { ...DOCUMENTS, spec: { ...DOCUMENTS.spec, thresholdSize: 1_000 } };
  for (const changed of [
    hashes(DOCUMENTS, { ...settings, image: 'other:1' }),
    hashes(DOCUMENTS, { ...settings, version: '2' }),
    hashes(larger),
  ]) {
    expect(changed[0]).not.toBe(policy);
    expect(changed.slice(1)).toEqual(bindings);
  }
  expect(hashes(DOCUMENTS)).toEqual([policy, ...bindings]);
});
