import type { ObjectMeta } from '../../kubernetes/api.ts';
import { apiVersionOf, LARGE_PAYLOAD_STORES } from '../../kubernetes/resources.ts';
import { objectLabels } from '../labels.ts';
import type { Component } from '../names.ts';
import type { StoreSpec } from '../read-store.ts';

/** What the operator runs pods with: its own image, as service and operator are one. */
export interface PodSettings {
  readonly image: string;
  readonly imagePullPolicy: 'Always' | 'IfNotPresent' | 'Never';
  /** how others shall be told where the store is; `undefined`: nobody knows */
  readonly clusterName?: string | undefined;
  /** names of Secrets in the namespaces of stores */
  readonly imagePullSecrets?: readonly string[];
  /** the operator's own, which asks pods for their status */
  readonly namespace: string;
  /** namespaces that may scrape pods beside the operator's; empty: any may */
  readonly scrapeNamespaces: readonly string[];
}

/** What the desired objects of one store are made from. */
export interface StoreContext {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  readonly spec: StoreSpec;
  readonly settings: PodSettings;
}

/** Kubernetes removes whatever bears it once the store is deleted. */
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
