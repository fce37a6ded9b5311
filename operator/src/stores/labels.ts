import { GROUP } from '@largepayload/crds';
import type { Component } from './names.ts';

export const MANAGED_BY = 'large-payload-operator';

/** On everything that the operator makes: the store it belongs to. */
export const STORE_LABEL = `${GROUP}/store`;
export const COMPONENT_LABEL = 'app.kubernetes.io/component';

/** What was applied, as a hash: an object that bears it needs no second apply, however the cluster filled it in. */
export const OBJECT_HASH = `${GROUP}/object-hash`;
/** On pods and ConfigMaps: the configuration's hash. */
export const CONFIG_HASH = `${GROUP}/config-hash`;
/** On pods: the hash of the template they were made from, which tells new pods from old ones. */
export const TEMPLATE_HASH = `${GROUP}/template-hash`;

/** What selects a component's pods. Selectors of Deployments cannot change, so neither can this. */
export function selectorLabels(store: string, component: Component): Record<string, string> {
  return {
    'app.kubernetes.io/name': 'payload-store',
    'app.kubernetes.io/instance': store,
    [COMPONENT_LABEL]: component,
  };
}

/** `undefined` component: it belongs to the whole store. */
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

/** As `/scale` and `kubectl get pods --selector` read it. */
export function selectorText(store: string, component: Component): string {
  return Object.entries(selectorLabels(store, component))
    .map(([label, value]) => `${label}=${value}`)
    .join(',');
}
