import { GROUP } from '@largepayload/crds';
import type { Component } from './names.ts';

export const MANAGED_BY = 'large-payload-operator';

/** On every object that the operator makes: its store. */
export const STORE_LABEL = `${GROUP}/store`;
/** On objects that the operator makes in another namespace than that of their store: the store's. */
export const STORE_NAMESPACE_LABEL = `${GROUP}/store-namespace`;
export const COMPONENT_LABEL = 'app.kubernetes.io/component';

/** The hash of the applied object: an object with the right hash needs no apply, whatever the cluster added to it. */
export const OBJECT_HASH = `${GROUP}/object-hash`;
/** On pods and ConfigMaps: the configuration's hash. */
export const CONFIG_HASH = `${GROUP}/config-hash`;
/** On pods: the hash of their template, by which new pods differ from old ones. */
export const TEMPLATE_HASH = `${GROUP}/template-hash`;

/** Selects a component's pods. Selectors of Deployments cannot change, so these labels cannot change either. */
export function selectorLabels(store: string, component: Component): Record<string, string> {
  return {
    'app.kubernetes.io/name': 'payload-store',
    'app.kubernetes.io/instance': store,
    [COMPONENT_LABEL]: component,
  };
}

/** @param component `undefined`: the object belongs to the whole store */
export function objectLabels(store: string, component: Component | undefined): Record<string, string> {
  return {
    'app.kubernetes.io/name': 'payload-store',
    'app.kubernetes.io/instance': store,
    ...(component && { [COMPONENT_LABEL]: component }),
    'app.kubernetes.io/part-of': 'large-payload',
    'app.kubernetes.io/managed-by': MANAGED_BY,
    [STORE_LABEL]: store,
  };
}

/** In the syntax of `/scale` and `kubectl get pods --selector`. */
export function selectorText(store: string, component: Component): string {
  return Object.entries(selectorLabels(store, component))
    .map(([label, value]) => `${label}=${value}`)
    .join(',');
}
