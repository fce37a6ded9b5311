import { describe, expect, test } from 'vitest';
import { mayUse, refusal } from './may-use.ts';
import { selectStore } from './selection.ts';

const INJECT = 'largepayload.dev/inject';
const STORE = 'largepayload.dev/store';
const labelled = (value?: string, annotation?: string) => ({
  ...(value !== undefined && { labels: { [INJECT]: value } }),
  ...(annotation !== undefined && { annotations: { [STORE]: annotation } }),
});
const select = (namespace: object, pod: object, podNamespace = 'billing') =>
  selectStore(namespace, { ...pod, namespace: podNamespace }, 'operators');

const LONG = `${'s'.repeat(40)}.${'n'.repeat(63)}`;

describe('a pod asks for a store', () => {
  test.each<[string, object, object, object]>([
    [
      'by the label of its namespace',
      labelled('documents.orders'),
      {},
      { name: 'documents', namespace: 'orders' },
    ],
    ['by its own label', {}, labelled('documents.orders'), { name: 'documents', namespace: 'orders' }],
    [
      'of its own namespace by the short name',
      labelled('documents'),
      {},
      { name: 'documents', namespace: 'billing' },
    ],
    [
      'by its own label before that of its namespace',
      labelled('documents'),
      labelled('images'),
      { name: 'images', namespace: 'billing' },
    ],
    [
      'by its own label though its namespace opted out',
      labelled('false'),
      labelled('images'),
      { name: 'images', namespace: 'billing' },
    ],
    [
      'by its own label though that of its namespace is wrong',
      labelled('?'),
      labelled('images'),
      { name: 'images', namespace: 'billing' },
    ],
    [
      'by the annotation of its namespace',
      labelled('true', LONG),
      {},
      { name: 's'.repeat(40), namespace: 'n'.repeat(63) },
    ],
    ['by its own annotation', {}, labelled('true', 'documents'), { name: 'documents', namespace: 'billing' }],
    ['named true', labelled('true.orders'), {}, { name: 'true', namespace: 'orders' }],
    [
      'by a label, whatever the annotation',
      labelled('documents', 'images'),
      {},
      { name: 'documents', namespace: 'billing' },
    ],
  ])('%s', (_how, namespace, pod, store) => {
    expect(select(namespace, pod)).toEqual({ kind: 'store', ...store });
  });
});

describe('a pod asks for nothing', () => {
  test.each<[string, object, object, string, string]>([
    ['without labels', {}, {}, 'billing', 'none'],
    ['with an annotation only', {}, labelled(undefined, 'documents'), 'billing', 'none'],
    ['with an annotation of the namespace only', labelled(undefined, 'documents'), {}, 'billing', 'none'],
    ['in kube-system', labelled('documents.orders'), labelled('documents.orders'), 'kube-system', 'none'],
    ['in the namespace of the operator', labelled('documents'), labelled('documents'), 'operators', 'none'],
    [
      'as a pod of a store',
      labelled('documents'),
      { labels: { 'app.kubernetes.io/managed-by': 'large-payload-operator' } },
      'billing',
      'none',
    ],
    ['opted out itself', labelled('documents'), labelled('false'), 'billing', 'optedOut'],
    ['opted out by its namespace', labelled('false'), {}, 'billing', 'optedOut'],
  ])('%s', (_how, namespace, pod, podNamespace, kind) => {
    expect(select(namespace, pod, podNamespace)).toEqual({ kind });
  });
});

describe('a label that names no store is explained', () => {
  test.each<[object, object, string]>([
    [
      labelled(''),
      {},
      'label largepayload.dev/inject of the namespace: "" names no store: write STORE or STORE.NAMESPACE',
    ],
    [{}, labelled('True'), 'label largepayload.dev/inject of the pod: "True" names no store'],
    [{}, labelled('documents.orders.svc'), '"documents.orders.svc" names no store'],
    [{}, labelled('documents.'), '"documents." names no store'],
    [{}, labelled('false.orders'), '"false.orders" names no store'],
    [{}, labelled('1st'), '"1st" names no store'],
    [{}, labelled('x'.repeat(41)), 'names no store'],
    [
      labelled('true'),
      {},
      'the namespace has the label largepayload.dev/inject: "true" and no annotation largepayload.dev/store',
    ],
    // The annotation belongs to the label of the same object.
    [labelled('documents', 'documents'), labelled('true'), 'the pod has the label'],
    [{}, labelled('true', 'a/b\n'), 'annotation largepayload.dev/store of the pod: "a/b\\n" names no store'],
    [{}, labelled('true', 'x'.repeat(200)), 'names no store'],
  ])('namespace %j, pod %j', (namespace, pod, message) => {
    const selection = select(namespace, pod);
    expect(selection).toEqual({ kind: 'invalid', message: expect.stringContaining(message) });
    expect('message' in selection && selection.message.length).toBeLessThanOrEqual(256);
  });
});

describe('a store may be used from', () => {
  const spec = { allowedNamespaces: ['billing'] };
  const store = { name: 'documents', namespace: 'orders' };
  test.each<[string, object, string, boolean]>([
    ['its own namespace', { ...store, spec }, 'orders', true],
    ['its own namespace, without a spec', store, 'orders', true],
    ['a namespace that it allows', { ...store, spec }, 'billing', true],
    ['no other namespace', { ...store, spec }, 'shipping', false],
    ['no other namespace if it allows none', { ...store, spec: {} }, 'billing', false],
    ['no other namespace if it cannot be read', store, 'billing', false],
  ])('%s', (_where, given, podNamespace, expected) => {
    expect(mayUse(given as typeof store, podNamespace)).toBe(expected);
  });

  test('a refusal names the fix, in one line that an admission warning has room for', () => {
    const longest = { name: 's'.repeat(40), namespace: 'n'.repeat(63) };
    expect(refusal(longest, 'p'.repeat(63)).length).toBeLessThanOrEqual(256);
    expect(refusal(store, 'billing')).toBe(
      'no sidecar: the store documents.orders does not allow namespace billing: add it to its spec.allowedNamespaces',
    );
  });
});
