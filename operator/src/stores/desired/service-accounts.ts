import type { KubernetesObject } from '../../kubernetes/api.ts';
import { type Component, componentName } from '../names.ts';
import type { StoreSpec } from '../read-store.ts';
import { metadataOf, type StoreContext } from './context.ts';

/** The account of a component's pods: the one that the store names, or one of our own. */
export function accountName(store: string, spec: StoreSpec, component: Component): string {
  return spec[component]?.serviceAccountName ?? componentName(store, component);
}

/**
 * An account of a component's own, to give a cloud's role to. What others annotate it with stays. Pods call no Kubernetes
 * API; the tokens that clouds want are mounted by their webhooks.
 */
export function serviceAccount(context: StoreContext, component: Component): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'ServiceAccount',
    metadata: metadataOf(context, componentName(context.name, component), component),
    automountServiceAccountToken: false,
  };
}
