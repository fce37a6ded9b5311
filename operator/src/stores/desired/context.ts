import type { ObjectMeta } from '../../kubernetes/api.ts';
import { apiVersionOf, LARGE_PAYLOAD_STORES } from '../../kubernetes/resources.ts';
import { objectLabels } from '../labels.ts';
import type { Component } from '../names.ts';
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

/** Metadata with the store as the owner, so that Kubernetes removes the object once the store is deleted. */
export function metadataOf(
  { namespace, name: store, uid }: StoreContext,
  name: string,
  component?: Component,
): ObjectMeta {
  return {
    name,
    namespace,
    labels: objectLabels(store, component),
    ownerReferences: [
      {
        apiVersion: apiVersionOf(LARGE_PAYLOAD_STORES),
        kind: LARGE_PAYLOAD_STORES.kind,
        name: store,
        uid,
        controller: true,
      },
    ],
  };
}
