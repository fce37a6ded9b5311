import type { KubernetesObject, ObjectMeta, ResourceKind } from '../../kubernetes/api.ts';
import { apiVersionOf, LARGE_PAYLOAD_STORES } from '../../kubernetes/resources.ts';
import { objectLabels } from '../labels.ts';
import { type Component, componentName } from '../names.ts';
import type { StoreSpec } from '../read-store.ts';

/** Settings of all pods that the operator makes. The image is its own, as it holds both programs. */
export interface PodSettings {
  readonly image: string;
  readonly imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never';
  /** the name of the cluster for messages; `undefined`: not known */
  readonly clusterName?: string | undefined;
  /** names of Secrets in the namespaces of stores */
  readonly imagePullSecrets?: readonly string[];
  /** of the operator, which polls pods for their status report */
  readonly namespace: string;
  /** namespaces, besides the operator's, that may scrape pods; empty: every namespace may */
  readonly scrapeNamespaces: readonly string[];
}

/** The input of one store's desired objects. */
export interface StoreContext {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly spec: StoreSpec;
  readonly settings: PodSettings;
}

export interface StoreObject {
  readonly resource: ResourceKind;
  readonly object: KubernetesObject;
}

/** An object that has the store as its owner, so that Kubernetes removes it once the store is deleted. */
export function storeObject(
  { namespace, name: store, uid }: StoreContext,
  resource: ResourceKind,
  place: Component | Pick<ObjectMeta, 'name' | 'annotations'>,
  content: Readonly<Record<string, unknown>>,
): StoreObject {
  const isPart = typeof place === 'string';
  const name = isPart ? componentName(store, place) : place.name;
  const labels = objectLabels(store, isPart ? place : undefined);
  const owner = { ...identified(LARGE_PAYLOAD_STORES), name: store, uid, controller: true };
  const metadata = { name, namespace, labels, ownerReferences: [owner], ...(isPart ? {} : place) };
  return { resource, object: { ...identified(resource), metadata, ...content } };
}

function identified(resource: ResourceKind) {
  return { apiVersion: apiVersionOf(resource), kind: resource.kind };
}
