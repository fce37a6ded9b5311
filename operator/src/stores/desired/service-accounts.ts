import { SERVICE_ACCOUNTS } from '../../kubernetes/resources.ts';
import { type Component, componentName } from '../names.ts';
import type { StoreSpec } from '../read-store.ts';
import { type StoreContext, type StoreObject, storeObject } from './context.ts';

/** The account of a component's pods: the account that the spec names, or one that the operator makes. */
export function accountName(store: string, spec: StoreSpec, component: Component): string {
  return spec[component]?.serviceAccountName ?? componentName(store, component);
}

/**
 * A component's own account, to give a cloud's role to. Annotations of others stay. Pods do not call the Kubernetes API, so no
 * token is mounted; a cloud's webhook mounts its own.
 */
export function serviceAccount(context: StoreContext, component: Component): StoreObject {
  return storeObject(context, SERVICE_ACCOUNTS, component, { automountServiceAccountToken: false });
}
