import type { ResourceKind } from '../kubernetes/api.ts';
import type { DesiredObject } from './desired-objects.ts';
import type { ObservedObject, ObservedStore } from './observed.ts';
import type { StoreResource } from './read-store.ts';

/** Whether an object may be changed for the store. An object without a controller may have been restored from a backup. */
export function isOurs(
  { controller, store: label, storeNamespace }: ObservedObject,
  store: StoreResource,
): boolean {
  if (controller !== undefined) return controller === store.uid;
  return label === store.name && storeNamespace === store.namespace;
}

/** Whether it was made for an earlier store of the same name; Kubernetes removes it, as that store is gone. */
export function isLeftOver({ controller, store: label }: ObservedObject, store: StoreResource): boolean {
  return controller !== undefined && controller !== store.uid && label === store.name;
}

/** Objects that have a name which the store needs and are not the store's: never to be applied to. */
export function objectsInTheWay(
  { store, objects }: ObservedStore,
  desired: readonly DesiredObject[],
): readonly ObservedObject[] {
  const wanted = new Set(desired.map(identityOf));
  return objects.filter((object) => wanted.has(identityOf(object)) && !isOurs(object, store));
}

/** Unique among the objects of the cluster. */
export function identityOf({ resource, namespace, name }: Place): string {
  return `${resource.plural}.${resource.group}/${namespace}/${name}`;
}

interface Place {
  readonly resource: ResourceKind;
  readonly namespace: string;
  readonly name: string;
}
