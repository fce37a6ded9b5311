import { textAt } from '@largepayload/crds';
import { BINDINGS, bindingName, policyName } from '../../injection/policy/policy-names.ts';
import type { KubernetesObject, ResourceKind } from '../../kubernetes/api.ts';
import {
  MUTATING_ADMISSION_POLICIES,
  MUTATING_ADMISSION_POLICY_BINDINGS,
} from '../../kubernetes/resources.ts';
import { MANAGED_BY, STORE_NAMESPACE_LABEL } from '../../stores/labels.ts';
import { mapObject } from '../../stores/mapping/object.ts';
import type { ObservedObject } from '../../stores/observed.ts';

/** A policy comes before its bindings. */
export const POLICY_KINDS = [MUTATING_ADMISSION_POLICIES, MUTATING_ADMISSION_POLICY_BINDINGS] as const;

export const OURS = `app.kubernetes.io/managed-by=${MANAGED_BY}`;

/**
 * An object of the store that its labels name, if its name is that of such an object as well. Anybody who may write policies may copy
 * our labels: an object with another name belongs to no store, and is left alone.
 */
export function observedPolicy(resource: ResourceKind, object: KubernetesObject): ObservedObject {
  const observed = mapObject(resource, object);
  const namespace = textAt(object.metadata, 'labels', STORE_NAMESPACE_LABEL);
  const isOurs =
    observed.store !== undefined &&
    namespace !== undefined &&
    namesOf(resource, { name: observed.store, namespace }).includes(observed.name);
  if (!isOurs) return { ...observed, store: undefined };
  return { ...observed, storeNamespace: namespace };
}

function namesOf(resource: ResourceKind, store: { name: string; namespace: string }): readonly string[] {
  if (resource === MUTATING_ADMISSION_POLICIES) return [policyName(store)];
  return BINDINGS.map((kind) => bindingName(store, kind));
}
