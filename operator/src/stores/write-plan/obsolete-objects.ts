import { CONFIG_MAPS, DEPLOYMENTS, SERVICE_ACCOUNTS } from '../../kubernetes/resources.ts';
import { otherNamespaces } from '../desired/ca-maps.ts';
import { canBeFollowed, type DesiredObject } from '../desired-objects.ts';
import { caMapName, componentName } from '../names.ts';
import type { ObservedObject, ObservedStore } from '../observed.ts';
import { identityOf, isOurs } from '../ownership.ts';
import { isSettled } from '../rollout.ts';

/**
 * The objects of the store to delete. What pods need to start and run (accounts, ConfigMaps) stays until no pod is left that was made
 * with it. Where nothing is desired, a store whose edit cannot be followed keeps serving, and keeps what would be removed.
 */
export function obsoleteObjects(
  observed: ObservedStore,
  desired: readonly DesiredObject[],
): readonly ObservedObject[] {
  if (!canBeFollowed(observed.store)) return reaperThatWouldNotHold(observed);
  const wanted = new Set(desired.map(identityOf));
  const settled = isSettled(observed, desired);
  const spec = observed.store.spec;
  const namedAccounts = [spec?.gateway.serviceAccountName, spec?.reaper?.serviceAccountName];
  const others = otherNamespaces(observed.store);
  return observed.objects.filter((object) => {
    const { resource, namespace, name, controller, deleting } = object;
    if (deleting || wanted.has(identityOf(object))) return false;
    if (isPublished(object)) return isOurs(object, observed.store) && !others.includes(namespace);
    if (controller !== observed.store.uid) return false;
    // What clients trust is not desired while the operator does not know it.
    if (resource === CONFIG_MAPS) return settled && name !== caMapName(observed.store.name);
    // An account that we made, and that the store now names, is in use.
    if (resource === SERVICE_ACCOUNTS) return settled && !namedAccounts.includes(name);
    return true;
  });
}

/** What a store that has gone leaves in other namespaces, where Kubernetes does not remove it. */
export function leftElsewhere(objects: readonly ObservedObject[]): readonly ObservedObject[] {
  return objects.filter(
    (object) => isPublished(object) && object.controller === undefined && !object.deleting,
  );
}

function isPublished({ namespace, storeNamespace }: ObservedObject): boolean {
  return namespace !== storeNamespace;
}

/** A reaper that knows the TTL alone must not go on when the store asks to keep more than that. */
function reaperThatWouldNotHold({ store, objects }: ObservedStore): readonly ObservedObject[] {
  if (store.deleting || store.spec?.retention.temporal === undefined) return [];
  const name = componentName(store.name, 'reaper');
  return objects.filter(
    (object) =>
      object.resource === DEPLOYMENTS &&
      object.name === name &&
      object.controller === store.uid &&
      !object.deleting,
  );
}
