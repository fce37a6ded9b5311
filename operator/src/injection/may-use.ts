import type { StoreSpec } from '../stores/read-store.ts';
import type { StoreName } from './selection.ts';

interface UsedStore extends StoreName {
  /** `undefined`: it cannot be read, and then only the store's own namespace may use it */
  readonly spec?: Pick<StoreSpec, 'allowedNamespaces'> | undefined;
}

/** Whether pods of a namespace may use a store. */
export function mayUse({ namespace, spec }: UsedStore, podNamespace: string): boolean {
  return podNamespace === namespace || spec?.allowedNamespaces?.includes(podNamespace) === true;
}

/** For people, where `mayUse` is false. */
export function refusal({ name, namespace }: StoreName, podNamespace: string): string {
  return `no sidecar: the store ${name}.${namespace} does not allow namespace ${podNamespace}: add it to its spec.allowedNamespaces`;
}
