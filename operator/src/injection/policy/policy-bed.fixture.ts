import { at, textAt } from '@largepayload/crds';
import { eventually } from '@largepayload/testing/waiting/eventually';
import type { KubernetesObject } from '../../kubernetes/api.ts';
import { apiBed, NEVER } from '../../kubernetes/api-server.fixture.ts';
import { NAMESPACES, PODS } from '../../kubernetes/resources.ts';
import type { StoreSpec } from '../../stores/read-store.ts';
import { INJECTED_ANNOTATION } from '../names.ts';
import { SETTINGS } from '../pods.fixture.ts';
import type { RawPod } from '../raw-pod.ts';
import type { Labelled, StoreName } from '../selection.ts';
import { type PolicySettings, policyObjects } from './policy-objects.ts';

export const POLICY_SETTINGS: PolicySettings = {
  ...SETTINGS,
  failurePolicy: 'Fail',
  operatorNamespace: 'operators',
};

export type Spec = Pick<StoreSpec, 'thresholdSize'> &
  Partial<Pick<StoreSpec, 'allowedNamespaces' | 'sidecar'>>;

/** An API server of the newest Kubernetes, on which no operator runs. */
export function policyBed() {
  const bed = apiBed();
  let made = 0;

  const makeNamespace = async (name: string, { labels = {}, annotations = {} }: Labelled = {}) => {
    const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels, annotations } };
    await bed.api().create(NAMESPACES, object, NEVER);
  };

  /** @returns the pod as the API server has made it. The API server runs without the admission that would give it an account. */
  const makePod = async (namespace: string, { metadata, spec }: RawPod): Promise<KubernetesObject> => {
    const name = `pod-${++made}`;
    const object = {
      ...{ apiVersion: 'v1', kind: 'Pod' },
      metadata: { ...(metadata as object), name, namespace },
      spec: { serviceAccountName: 'default', ...(spec as object) },
    };
    return await bed.api().create(PODS, object, NEVER);
  };

  /** Applies the policy of a store, and waits until pods of that namespace that ask for the store get its sidecar. */
  const applyPolicy = async (store: StoreName, spec: Spec, used: string, settings = POLICY_SETTINGS) => {
    for (const { resource, object } of policyObjects({ ...store, spec: spec as StoreSpec }, settings))
      await bed.api().apply(resource, object, { force: true }, NEVER);
    const annotations = { 'largepayload.dev/store': `${store.name}.${store.namespace}` };
    const metadata = { labels: { 'largepayload.dev/inject': 'true' }, annotations };
    const probe = { metadata, spec: { containers: [{ name: 'worker', image: 'worker:1' }] } };
    await eventually(`the policy of ${store.name}.${store.namespace} is in force`, async () => {
      return storeOf(await makePod(used, probe)) !== undefined;
    });
  };
  return { ...bed, makeNamespace, makePod, applyPolicy };
}

/** The store of the sidecar that a pod was given, as STORE.NAMESPACE. */
export function storeOf(pod: KubernetesObject): string | undefined {
  const text = at(pod.metadata, 'annotations', INJECTED_ANNOTATION);
  return typeof text === 'string' ? textAt(JSON.parse(text), 'store') : undefined;
}
