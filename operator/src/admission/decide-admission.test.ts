import { expect, test } from 'vitest';
import type { KubernetesObject } from '../kubernetes/api.ts';
import { readStore } from '../stores/read-store.ts';
import { ON_S3, store } from '../stores/stores.fixture.ts';
import { podOf, SETTINGS } from './admission.fixture.ts';
import { Admission } from './admission.ts';
import { type AdmissionSituation, decideAdmission } from './decide-admission.ts';

const LABEL = 'largepayload.dev/inject';
const OWN = store({ ...ON_S3 }, { name: 'documents', namespace: 'billing' });
const SHARED = store({ ...ON_S3, allowedNamespaces: ['billing'] }, { name: 'shared', namespace: 'orders' });
const FOREIGN = store({ ...ON_S3 }, { name: 'private', namespace: 'orders' });
const BROKEN = readStore({
  ...{ apiVersion: 'largepayload.dev/v1alpha1', kind: 'LargePayloadStore' },
  ...{ metadata: { name: 'broken', namespace: 'billing' }, spec: { storage: 'x' } },
} as unknown as KubernetesObject);
const STORES = new Map(
  [OWN, SHARED, FOREIGN, BROKEN].map((each) => [`${each.namespace}/${each.name}`, each]),
);

const situation = (
  pod: object,
  label?: string,
  more: Partial<AdmissionSituation> = {},
): AdmissionSituation => ({
  ...{ namespace: 'billing', pod, operatorNamespace: 'operators', settings: SETTINGS },
  labelled: label === undefined ? {} : { labels: { [LABEL]: label } },
  storeOf: ({ namespace, name }) => STORES.get(`${namespace}/${name}`),
  ...more,
});

test.each<[string, AdmissionSituation, string, string | undefined]>([
  ['of a labelled namespace', situation(podOf(), 'documents'), 'injected', undefined],
  ['with a label of its own', situation(podOf('shared.orders')), 'injected', undefined],
  ['with a label that wins', situation(podOf('documents'), 'false'), 'injected', undefined],
  [
    'whose store is not there yet',
    situation(podOf('new')),
    'injected',
    'the store new of namespace billing does not exist',
  ],
  ['whose store cannot be read', situation(podOf('broken')), 'injected', undefined],
  ['that opts out', situation(podOf('false'), 'documents'), 'opted_out', undefined],
  ['that nothing selects', situation(podOf()), 'out_of_scope', undefined],
  [
    'of kube-system',
    situation(podOf('documents'), undefined, { namespace: 'kube-system' }),
    'out_of_scope',
    undefined,
  ],
  [
    'of the operator',
    situation(podOf('documents'), undefined, { namespace: 'operators' }),
    'out_of_scope',
    undefined,
  ],
  [
    'whose store does not allow it',
    situation(podOf('private.orders')),
    'not_allowed',
    'spec.allowedNamespaces',
  ],
  ['whose label names no store', situation(podOf('A_B')), 'invalid', 'write STORE or STORE.NAMESPACE'],
  ['on the host network', situation(podOf('documents', { hostNetwork: true })), 'skipped', 'hostNetwork'],
  [
    'whose label has a wrong type',
    situation({ metadata: { labels: { [LABEL]: 5 } } }),
    'out_of_scope',
    undefined,
  ],
  ['without metadata', situation({ spec: { containers: 'x' } }, 'documents'), 'injected', undefined],
])('a pod %s: what is done, and the warning', (_which, given, result, warning) => {
  const decision = decideAdmission(given);
  expect(decision.result).toBe(result);
  expect(decision.patch.length > 0).toBe(result === 'injected');
  if (warning === undefined) expect(decision.warnings).toEqual([]);
  else expect(decision.warnings.join('\n')).toContain(warning);
});

test('the namespace is that of the request: an object that names another gets no certificates of that', () => {
  const pod = {
    ...podOf('shared.orders'),
    metadata: { ...podOf('shared.orders').metadata, namespace: 'orders' },
  };
  expect(JSON.stringify(decideAdmission(situation(pod)).patch)).toContain('"shared.orders-ca"');
});

const namespaceOf = (label?: string): KubernetesObject => ({
  ...{ apiVersion: 'v1', kind: 'Namespace' },
  metadata: { name: 'billing', ...(label !== undefined && { labels: { [LABEL]: label } }) },
});

/** @param seen label of the namespace in the view; `undefined`: it has none */
function admissionOf(seen: string | undefined, get: () => Promise<KubernetesObject | undefined>) {
  const asked: unknown[] = [];
  const namespace = () =>
    seen === undefined ? undefined : { labels: { [LABEL]: seen }, annotations: {}, createdAt: 0 };
  const view = { isSynced: true, store: (key: string) => STORES.get(key), namespace };
  const api = {
    get: async (name: unknown) => {
      asked.push(name);
      return await get();
    },
  };
  const admission = new Admission({ api, view, namespace: 'operators', settings: SETTINGS });
  const admit = async (object: object, of = 'billing') =>
    await admission.admit({ uid: 'u', pod: { namespace: of, object } }, new AbortController().signal);
  return { admit, asked, view };
}

test('a namespace that is labelled, but not as far as this replica has seen, is read', async () => {
  for (const seen of [undefined, 'false']) {
    const { admit, asked } = admissionOf(seen, async () => namespaceOf('documents'));
    expect(await admit(podOf())).toMatchObject({ result: 'injected' });
    expect(asked).toMatchObject([{ namespace: '', name: 'billing' }]);
  }
});

test('nothing is read where the view agrees with the call, nor for pods that are never in scope', async () => {
  const { admit, asked } = admissionOf('documents', async () => namespaceOf());
  expect((await admit(podOf())).result).toBe('injected');
  expect((await admit(podOf('false'))).result).toBe('opted_out');
  const unlabelled = admissionOf(undefined, async () => namespaceOf('documents'));
  expect((await unlabelled.admit(podOf('documents'))).result).toBe('injected');
  expect((await unlabelled.admit(podOf(), 'kube-system')).result).toBe('out_of_scope');
  const own = { metadata: { labels: { 'app.kubernetes.io/managed-by': 'large-payload-operator' } } };
  expect((await unlabelled.admit(own)).result).toBe('out_of_scope');
  expect([...asked, ...unlabelled.asked]).toEqual([]);
});

test('a namespace that cannot be read is a failure, and so is the 21st that is being read: no pod is made without a decision', async () => {
  const broken = admissionOf(undefined, () => Promise.reject(new Error('HTTP 403')));
  await expect(broken.admit(podOf())).rejects.toMatchObject({ status: 500, message: /HTTP 403/ });
  const { promise, resolve } = Promise.withResolvers<KubernetesObject>();
  const slow = admissionOf(undefined, () => promise);
  const waiting = Array.from({ length: 20 }, () => slow.admit(podOf()));
  await expect(slow.admit(podOf())).rejects.toMatchObject({ status: 503 });
  resolve(namespaceOf('documents'));
  expect((await Promise.all(waiting)).map(({ result }) => result)).toEqual(Array(20).fill('injected'));
  expect((await slow.admit(podOf())).result).toBe('injected');
});

test('a replica that has not listed the stores decides nothing', async () => {
  const { admit, view } = admissionOf(undefined, async () => namespaceOf());
  view.isSynced = false;
  await expect(admit(podOf('documents'))).rejects.toMatchObject({ status: 503 });
});
