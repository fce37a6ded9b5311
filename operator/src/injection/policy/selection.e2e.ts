import { beforeAll, describe, expect, test } from 'vitest';
import { mayUse } from '../may-use.ts';
import { type Labelled, type LabelledPod, selectStore } from '../selection.ts';
import { POLICY_SETTINGS, policyBed, storeOf } from './policy-bed.fixture.ts';

const { makeNamespace, makePod, applyPolicy } = policyBed();
const OPERATORS = POLICY_SETTINGS.operatorNamespace;

const labelled = (value?: string, annotation?: string): Labelled => ({
  ...(value !== undefined && { labels: { 'largepayload.dev/inject': value } }),
  ...(annotation !== undefined && { annotations: { 'largepayload.dev/store': annotation } }),
});

/** What namespace and pod ask for; each namespace is made for its case. */
const CASES: readonly [what: string, namespace: Labelled, pod: Labelled][] = [
  ['no label', {}, {}],
  ['the label of the namespace', labelled('documents.orders'), {}],
  ['the label of the pod', {}, labelled('documents.orders')],
  [
    'a label of the pod before that of the namespace',
    labelled('documents.orders'),
    labelled('images.orders'),
  ],
  ['a pod that opts out', labelled('documents.orders'), labelled('false')],
  ['a pod that opts in where the namespace opts out', labelled('false'), labelled('documents.orders')],
  ['a namespace that opts out', labelled('false'), {}],
  ['the annotation of the namespace', labelled('true', 'documents.orders'), {}],
  ['the annotation of the pod', {}, labelled('true', 'documents.orders')],
  [
    'the annotation of the pod before that of the namespace',
    labelled('true', 'documents.orders'),
    labelled('true', 'images.orders'),
  ],
  [
    'true on the pod, and the annotation on the namespace only',
    labelled('true', 'documents.orders'),
    labelled('true'),
  ],
  [
    'true on the namespace, and the annotation on the pod only',
    labelled('true'),
    labelled(undefined, 'documents.orders'),
  ],
  [
    'an annotation without the label',
    labelled(undefined, 'documents.orders'),
    labelled(undefined, 'documents.orders'),
  ],
  ['an annotation beside a label with another name', labelled('images.orders', 'documents.orders'), {}],
  ['the annotation false', labelled('true', 'false'), {}],
  ['an empty label of the pod', labelled('documents.orders'), labelled('')],
  ['the short name of a store of another namespace', labelled('documents'), {}],
  ['the short name of a store of another namespace, on the pod', {}, labelled('documents')],
  [
    'a pod of a store',
    labelled('documents.orders'),
    { labels: { 'app.kubernetes.io/managed-by': 'large-payload-operator' } },
  ],
];

const namespaceOf = (index: number) => `case-${index}`;
const allowedNamespaces = [...CASES.map((_case, index) => namespaceOf(index)), 'kube-system', OPERATORS];
const DOCUMENTS = {
  name: 'documents',
  namespace: 'orders',
  spec: { thresholdSize: 128_000, allowedNamespaces },
};
const IMAGES = { name: 'images', namespace: 'orders', spec: { thresholdSize: 128_000, allowedNamespaces } };
/** a store of the same short name in a namespace of its own */
const TWIN = { name: 'documents', namespace: 'twins', spec: { thresholdSize: 128_000 } };
const STORES = [DOCUMENTS, IMAGES, TWIN];

beforeAll(async () => {
  await makeNamespace('twins', labelled('documents'));
  await makeNamespace('orders', labelled('images'));
  for (const store of STORES) await applyPolicy(store, store.spec, store.namespace);
});

const spec = { containers: [{ name: 'worker', image: 'worker:1' }] };

/** The store by the functions that the webhook asks. */
function expected(namespace: Labelled, pod: LabelledPod): string | undefined {
  const selection = selectStore(namespace, pod, OPERATORS);
  if (selection.kind !== 'store') return undefined;
  const store = STORES.find((each) => each.name === selection.name && each.namespace === selection.namespace);
  return store && mayUse(store as never, pod.namespace) ? `${store.name}.${store.namespace}` : undefined;
}

test.each(CASES.map((each, index) => [...each, namespaceOf(index)] as const))(
  '%s: the API server selects the store that the webhook would select',
  async (_what, namespace, pod, name) => {
    await makeNamespace(name, namespace);
    const made = await makePod(name, { metadata: pod, spec });
    expect(storeOf(made)).toBe(expected(namespace, { ...pod, namespace: name }));
  },
);

test('a short name means the store of the own namespace, of the namespace and of the pod', async () => {
  expect(storeOf(await makePod('twins', { metadata: {}, spec }))).toBe('documents.twins');
  expect(storeOf(await makePod('orders', { metadata: {}, spec }))).toBe('images.orders');
  const metadata = labelled('documents');
  expect(storeOf(await makePod('twins', { metadata, spec }))).toBe('documents.twins');
  expect(storeOf(await makePod('orders', { metadata, spec }))).toBe('documents.orders');
});

test('a store is not injected in a namespace that it does not allow', async () => {
  await makeNamespace('strangers', labelled('documents.orders'));
  expect(storeOf(await makePod('strangers', { metadata: {}, spec }))).toBeUndefined();
  expect(
    storeOf(await makePod('strangers', { metadata: labelled('true', 'images.orders'), spec })),
  ).toBeUndefined();
});

test('no pod of kube-system or of the operator is injected, whatever its label and the store', async () => {
  await makeNamespace(OPERATORS);
  for (const namespace of ['kube-system', OPERATORS]) {
    const made = await makePod(namespace, { metadata: labelled('documents.orders'), spec });
    expect(storeOf(made)).toBeUndefined();
  }
});

describe('what a policy cannot do, and the webhook can', () => {
  test('a pod that asks for a store which does not exist yet is made without a sidecar', async () => {
    await makeNamespace('early', labelled('later'));
    expect(storeOf(await makePod('early', { metadata: {}, spec }))).toBeUndefined();
    expect(selectStore(labelled('later'), { namespace: 'early' })).toMatchObject({ kind: 'store' });
  });
});
