import type { Authentication } from '@largepayload/crds';
import type { KubernetesObject, ObjectMeta, ResourceKind } from '../../kubernetes/api.ts';
import { kindOf, LARGE_PAYLOAD_STORES } from '../../kubernetes/resources.ts';
import { objectLabels } from '../labels.ts';
import { type Component, componentName } from '../names.ts';
import type { StoreResource, StoreSpec } from '../read-store.ts';

/** Settings of all pods that the operator makes. The image is its own, as it holds both programs. */
export interface PodSettings {
  readonly image: string;
  readonly imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never';
  /** the name of the cluster, for messages elsewhere; as an option, `undefined` means the UID of the namespace kube-system */
  readonly clusterName?: string | undefined;
  /** names of Secrets in the namespaces of stores */
  readonly imagePullSecrets?: readonly string[];
  /** of the operator and its Lease; it polls pods for their status report */
  readonly namespace: string;
  /** PEM certificates that clients of gateways trust; `undefined`: there are none yet */
  readonly bundle?: string | undefined;
  /** namespaces, besides the operator's, that may scrape pods; empty: every namespace may */
  readonly scrapeNamespaces: readonly string[];
}

/** All that a store's desired objects depend on. */
export interface StoreContext extends Pick<StoreResource, 'namespace' | 'name' | 'uid'> {
  readonly spec: StoreSpec;
  readonly authentication: Authentication;
  readonly settings: PodSettings;
}

export interface StoreObject {
  readonly resource: ResourceKind;
  readonly object: KubernetesObject;
}

/** An object that has the store as its owner, so that Kubernetes removes it once the store is deleted. */
export function storeObject(
  { namespace, name: store, uid }: Pick<StoreResource, 'namespace' | 'name' | 'uid'>,
  resource: ResourceKind,
  place: Component | Pick<ObjectMeta, 'name' | 'annotations'>,
  content: Readonly<Record<string, unknown>>,
): StoreObject {
  const isPart = typeof place === 'string';
  const name = isPart ? componentName(store, place) : place.name;
  const labels = objectLabels(store, isPart ? place : undefined);
  const owner = { ...kindOf(LARGE_PAYLOAD_STORES), name: store, uid, controller: true };
  const metadata = { name, namespace, labels, ownerReferences: [owner], ...(isPart ? {} : place) };
  return { resource, object: { ...kindOf(resource), metadata, ...content } };
}
