import { CONFIG_MAPS, DEPLOYMENTS, SERVICE_ACCOUNTS } from '../../kubernetes/resources.ts';
import type { DesiredObject } from '../desired-objects.ts';
import { componentName } from '../names.ts';
import type { ObservedObject, ObservedStore } from '../observed.ts';
import { identityOf } from '../ownership.ts';
import { isSettled } from '../rollout.ts';

/**
 * The objects of the store to delete. What pods need to start and run (accounts, ConfigMaps) stays until no pod is left that was made
 * with it. Where nothing is desired, a store whose edit cannot be followed keeps serving, and keeps what would be removed.
 */
export function obsoleteObjects(
  observed: ObservedStore,
  desired: readonly DesiredObject[],
): readonly ObservedObject[] {
  if (desired.length === 0) return reaperThatWouldNotHold(observed);
  const wanted = new Set(desired.map(identityOf));
  const settled = isSettled(observed, desired);
  const spec = observed.store.spec;
  const namedAccounts = [spec?.gateway.serviceAccountName, spec?.reaper?.serviceAccountName];
  return observed.objects.filter((object) => {
    const { resource, name, controller, deleting } = object;
    if (deleting || controller !== observed.store.uid || wanted.has(identityOf(object))) return false;
    if (resource === CONFIG_MAPS) return settled;
    // An account that we made, and that the store now names, is in use.
    if (resource === SERVICE_ACCOUNTS) return settled && !namedAccounts.includes(name);
    return true;
  });
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
