import { expect, test } from 'vitest';
import type { KubernetesObject } from '../kubernetes/api.ts';
import { CONFIG_MAPS, SERVICES } from '../kubernetes/resources.ts';
import { desiredObjects } from './desired-objects.ts';
import { mapObject } from './mapping/object.ts';
import type { ObservedObject } from './observed.ts';
import { isOurs } from './ownership.ts';
import { appliedObjects, but, wellStore } from './situation.fixture.ts';
import { BUNDLE, ON_S3, SETTINGS, store } from './stores.fixture.ts';
import { leftElsewhere, obsoleteObjects } from './write-plan/obsolete-objects.ts';

const allowing = (...allowedNamespaces: string[]) => ({ ...ON_S3, allowedNamespaces });
const desiredOf = (spec: object, bundle: string | undefined = BUNDLE, metadata = {}) =>
  desiredObjects(store({ ...spec }, metadata), { ...SETTINGS, bundle });
const certificatesOf = (spec: object, bundle?: string, metadata = {}) =>
  desiredOf(spec, bundle, metadata).filter(({ name }) => name.endsWith('-ca'));
const placesOf = (objects: readonly { readonly namespace: string; readonly name: string }[]) =>
  objects.map(({ namespace, name }) => `${namespace}/${name}`);

test('the certificates that clients trust are published to the namespace of the store and to those that it allows', () => {
  const published = certificatesOf(allowing('workers', 'starters', 'payments'));
  expect(placesOf(published)).toEqual([
    'payments/orders-ca',
    'workers/orders.payments-ca',
    'starters/orders.payments-ca',
  ]);
  for (const { object } of published) expect(object.data).toEqual({ 'ca.crt': BUNDLE });
  const [own, ...others] = published.map(({ object }) => object.metadata);
  expect(own?.ownerReferences).toMatchObject([{ name: 'orders', controller: true }]);
  for (const metadata of others) {
    // An owner of another namespace counts as gone, and Kubernetes would remove the object.
    expect(metadata).not.toHaveProperty('ownerReferences');
    expect(metadata.labels).toMatchObject({
      'app.kubernetes.io/managed-by': 'large-payload-operator',
      'largepayload.dev/store': 'orders',
      'largepayload.dev/store-namespace': 'payments',
    });
  }
});

test('nothing is published while there are no certificates', () => {
  expect(desiredObjects(store(), SETTINGS).filter(({ name }) => name.endsWith('-ca'))).toEqual([]);
});

test('stores of one name in two namespaces publish under different names, which the API server takes', () => {
  const longest = { name: 'a'.repeat(40), namespace: 'n'.repeat(63) };
  const names = [{}, { namespace: 'billing' }, longest].map(
    (metadata) => certificatesOf(allowing('starters'), BUNDLE, metadata).at(-1)?.name ?? '',
  );
  expect(names.slice(0, 2)).toEqual(['orders.payments-ca', 'orders.billing-ca']);
  for (const name of names) {
    expect(name.length).toBeLessThanOrEqual(253);
    expect(name).toMatch(/^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$/);
  }
});

test.each([
  ['asks for what is not built', { ...allowing('starters'), storage: { gcs: { bucket: 'payloads' } } }, 2],
  ['is not valid', { ...allowing('starters'), thresholdSize: 'big' }, 1],
])('a store that %s has its certificates, as pods of before serve on', (_what, spec, count) => {
  const desired = desiredOf(spec);
  expect(desired).toHaveLength(count);
  expect(certificatesOf(spec)).toEqual(desired);
});

test('a store that is being deleted publishes nothing', () => {
  expect(desiredOf(ON_S3, BUNDLE, { deletionTimestamp: '2026-01-02T00:00:00Z' })).toEqual([]);
});

const labelled = (labels: object, name = 'orders.payments-ca', namespace = 'starters') =>
  ({
    ...{ apiVersion: 'v1', kind: 'ConfigMap' },
    metadata: { namespace, name, uid: 'u', resourceVersion: '1', labels },
  }) as KubernetesObject;
const OURS = { 'largepayload.dev/store': 'orders', 'largepayload.dev/store-namespace': 'payments' };

test('an object of another namespace belongs to the store of its labels', () => {
  const mapped = mapObject(CONFIG_MAPS, labelled(OURS));
  expect(mapped).toMatchObject({ namespace: 'starters', store: 'orders', storeNamespace: 'payments' });
  expect(isOurs(mapped, store())).toBe(true);
  expect(isOurs(mapped, store(ON_S3, { namespace: 'starters' }))).toBe(false);
  expect(isOurs(mapped, store(ON_S3, { name: 'returns' }))).toBe(false);
});

// Whoever may write objects in one namespace must not change what the operator does in another.
test.each<[string, ObservedObject]>([
  ['of another name', mapObject(CONFIG_MAPS, labelled(OURS, 'orders-claimed'))],
  ['of another store', mapObject(CONFIG_MAPS, labelled({ ...OURS, 'largepayload.dev/store': 'returns' }))],
  ['of another kind', mapObject(SERVICES, labelled(OURS))],
  [
    'without the label of the namespace',
    mapObject(CONFIG_MAPS, labelled({ 'largepayload.dev/store': 'orders' })),
  ],
])('an object %s belongs to no store of another namespace', (_what, object) => {
  expect(object.storeNamespace).toBe('starters');
  expect(isOurs(object, store())).toBe(false);
});

test('an object of another namespace that a controller owns is not the store’s', () => {
  const mapped = { ...mapObject(CONFIG_MAPS, labelled(OURS)), controller: 'another uid' };
  expect(isOurs(mapped, store())).toBe(false);
  expect(leftElsewhere([mapped])).toEqual([]);
});

const published = (spec: object) => appliedObjects(certificatesOf(spec));

test('certificates go from a namespace that is allowed no longer, also while pods are replaced', () => {
  const situation = wellStore(allowing('workers'));
  const objects = [...situation.observed.objects, ...published(allowing('workers', 'starters'))];
  const obsolete = (observed: object) =>
    placesOf(
      obsoleteObjects(but(situation, { objects, ...observed }).observed, desiredOf(allowing('workers'))),
    );
  expect(obsolete({})).toEqual(['starters/orders.payments-ca']);
  expect(obsolete({ gateway: undefined })).toEqual(['starters/orders.payments-ca']);
});

test('what is published stays while the certificates are not known, and while the resource cannot be read', () => {
  const spec = allowing('starters');
  const situation = wellStore(spec);
  const objects = [...situation.observed.objects, ...published(spec)];
  const { observed } = but(situation, { objects });
  expect(obsoleteObjects(observed, situation.desired)).toEqual([]);
  const invalid = store({ ...ON_S3, thresholdSize: 'big' });
  expect(
    obsoleteObjects({ ...observed, store: invalid }, desiredOf({ ...ON_S3, thresholdSize: 'big' })),
  ).toEqual([]);
});

test.each([
  ['belongs to others', { store: undefined }],
  ['belongs to a store of another namespace', { storeNamespace: 'billing' }],
  ['is going already', { deleting: true }],
])('what %s is left in a namespace that is allowed no longer', (_what, change) => {
  const situation = wellStore();
  const objects = published(allowing('starters')).map((object) => ({ ...object, ...change }));
  const { observed } = but(situation, {
    objects: objects.filter(({ namespace }) => namespace === 'starters'),
  });
  expect(obsoleteObjects(observed, situation.desired)).toEqual([]);
});

test('a store that has gone leaves the objects that Kubernetes does not remove', () => {
  const objects = [...wellStore().observed.objects, ...published(allowing('starters', 'workers'))];
  expect(placesOf(leftElsewhere(objects))).toEqual([
    'starters/orders.payments-ca',
    'workers/orders.payments-ca',
  ]);
  expect(leftElsewhere(objects.map((object) => ({ ...object, deleting: true })))).toEqual([]);
});
