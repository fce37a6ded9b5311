import { FOREVER, storageKindOf, unsupportedFields } from '@largepayload/crds';
import { effectiveAuthentication } from './authentication.ts';
import { caMaps } from './desired/ca-maps.ts';
import { configMap, configOf, storageIdMap } from './desired/config-map.ts';
import type { PodSettings, StoreContext, StoreObject } from './desired/context.ts';
import { gatewayDeployment, reaperDeployment } from './desired/deployments.ts';
import { disruptionBudget } from './desired/disruption-budget.ts';
import { gatewayService } from './desired/gateway-service.ts';
import { gatewayPolicy, reaperPolicy } from './desired/network-policies.ts';
import { serviceAccount } from './desired/service-accounts.ts';
import { OBJECT_HASH } from './labels.ts';
import type { StoreResource, StoreSpec } from './read-store.ts';
import { hashValue } from './stable-hash.ts';

export interface DesiredObject extends StoreObject {
  readonly namespace: string;
  readonly name: string;
  /** of the whole object, which has it as an annotation */
  readonly hash: string;
}

/**
 * The objects that should exist for a store, in the order to apply them. For a store that cannot be followed they are the
 * certificates only, which its pods and their clients go on to need.
 */
export function desiredObjects(store: StoreResource, settings: PodSettings): readonly DesiredObject[] {
  if (store.deleting) return [];
  const certificates = settings.bundle === undefined ? [] : caMaps(store, settings.bundle);
  return [...objectsOfPods(store, settings), ...certificates].map(described);
}

/**
 * Whether a store can be as its resource demands. It is not valid otherwise, or uses a field that this version does not support;
 * objects that exist then stay as they are.
 */
export function canBeFollowed({ deleting, spec }: StoreResource): boolean {
  return !deleting && spec !== undefined && unsupportedFields(spec).length === 0;
}

function objectsOfPods(store: StoreResource, settings: PodSettings): readonly StoreObject[] {
  const { namespace, name, uid, spec } = store;
  if (spec === undefined || !canBeFollowed(store)) return [];
  const authentication = effectiveAuthentication(store);
  const context: StoreContext = { namespace, name, uid, spec, authentication, settings };
  const config = configOf(context, 'gateway');
  const reaperConfig = configOf(context, 'reaper');
  const reaps = hasReaper(spec);
  const account = (component: 'gateway' | 'reaper') =>
    spec[component]?.serviceAccountName === undefined && serviceAccount(context, component);
  // Policies come before the pods that they protect.
  const objects = [
    account('gateway'),
    reaps && account('reaper'),
    configMap(context, config),
    reaps && configMap(context, reaperConfig),
    store.status.storageID !== undefined && storageIdMap(context, store.status.storageID),
    gatewayPolicy(context),
    reaps && reaperPolicy(context),
    disruptionBudget(context),
    gatewayService(context),
    gatewayDeployment(context, config),
    reaps && reaperDeployment(context, reaperConfig),
  ];
  return objects.filter((object) => object !== false);
}

/** Whether the store has a Deployment that reaps. */
export function hasReaper(spec: StoreSpec): boolean {
  return spec.retention.ttl !== FOREVER && storageKindOf(spec).deletedBy === 'reaper';
}

/** The object with its hash. */
export function described({ resource, object }: StoreObject): DesiredObject {
  const { metadata } = object;
  const hash = hashValue(object);
  const annotations = { ...metadata.annotations, [OBJECT_HASH]: hash };
  return {
    resource,
    namespace: metadata.namespace ?? '',
    name: metadata.name,
    object: { ...object, metadata: { ...metadata, annotations } },
    hash,
  };
}
