import type { KubernetesObject } from '../../kubernetes/api.ts';
import {
  kindOf,
  MUTATING_ADMISSION_POLICIES,
  MUTATING_ADMISSION_POLICY_BINDINGS,
} from '../../kubernetes/resources.ts';
import { type DesiredObject, described } from '../../stores/desired-objects.ts';
import { objectLabels, STORE_NAMESPACE_LABEL } from '../../stores/labels.ts';
import type { StoreSpec } from '../../stores/read-store.ts';
import { INJECT_LABEL } from '../names.ts';
import { EXCLUDED_NAMESPACES, parseStoreName, type StoreName } from '../selection.ts';
import { type InjectionSettings, sidecarFor } from '../sidecar.ts';
import { MATCH_CONDITIONS } from './match-conditions.ts';
import { mutationFor } from './mutation.ts';
import { type BindingKind, bindingName, policyName } from './policy-names.ts';
import { variablesFor } from './variables.ts';

export interface PolicyStore extends StoreName {
  readonly spec: StoreSpec;
}

export interface PolicySettings extends InjectionSettings {
  readonly failurePolicy: 'Fail' | 'Ignore';
  /** where no pod is in scope */
  readonly operatorNamespace: string;
}

/** The longest value of a label. */
const LONGEST_LABEL = 63;

/**
 * The policy by which the API server injects the sidecar of a store, and its bindings, in the order to apply them. The policy is
 * limited to the namespaces that may use the store, so that no binding can widen that.
 */
export function policyObjects(store: PolicyStore, settings: PolicySettings): readonly DesiredObject[] {
  const namespaces = namespacesOf(store, settings);
  // A name that no label can mean.
  if (namespaces.length === 0 || parseStoreName(store.name, store.namespace) === undefined) return [];
  const isStore = isIn(INJECT_LABEL, labelsOf(store));
  return [
    policy(store, namespaces, settings),
    binding(store, 'namespace', {
      namespaceSelector: selector(isStore),
      objectSelector: selector({ key: INJECT_LABEL, operator: 'DoesNotExist' }),
    }),
    binding(store, 'pod', { objectSelector: selector(isStore) }),
  ].map(described);
}

/** Kubernetes keeps it on every namespace. */
const NAMESPACE_NAME = 'kubernetes.io/metadata.name';

function namespacesOf({ namespace, spec }: PolicyStore, { operatorNamespace }: PolicySettings): string[] {
  const excluded = [...EXCLUDED_NAMESPACES, operatorNamespace];
  const all = new Set([namespace, ...(spec.allowedNamespaces ?? [])]);
  return [...all].filter((each) => !excluded.includes(each));
}

/** The labels that may mean the store. Which do, the variable `isRequested` of the policy knows. */
function labelsOf({ name, namespace }: StoreName): readonly string[] {
  const all = new Set(['true', name, `${name}.${namespace}`]);
  return [...all].filter((label) => label.length <= LONGEST_LABEL);
}

function policy(store: PolicyStore, namespaces: readonly string[], settings: PolicySettings) {
  const sidecar = sidecarFor(store, settings);
  const isUsedElsewhere = namespaces.some((each) => each !== store.namespace);
  return clusterObject(MUTATING_ADMISSION_POLICIES, store, policyName(store), {
    failurePolicy: settings.failurePolicy,
    // Another admission may add containers, which lack the environment then.
    reinvocationPolicy: 'IfNeeded',
    matchConstraints: {
      matchPolicy: 'Equivalent',
      // The API server looks at selectors of a policy before those of its bindings: one is all that other pods cost.
      namespaceSelector: selector(isIn(NAMESPACE_NAME, namespaces)),
      resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
    },
    matchConditions: MATCH_CONDITIONS,
    variables: variablesFor(store),
    mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression: mutationFor(sidecar, isUsedElsewhere) } }],
  });
}

function binding(store: StoreName, kind: BindingKind, selectors: object) {
  return clusterObject(MUTATING_ADMISSION_POLICY_BINDINGS, store, bindingName(store, kind), {
    policyName: policyName(store),
    matchResources: { matchPolicy: 'Equivalent', ...selectors },
  });
}

/** An object without a namespace cannot have the store as its owner, so labels name the store. */
function clusterObject(
  resource: typeof MUTATING_ADMISSION_POLICIES,
  { name: store, namespace }: StoreName,
  name: string,
  spec: object,
) {
  const labels = { ...objectLabels(store, undefined), [STORE_NAMESPACE_LABEL]: namespace };
  const object: KubernetesObject = { ...kindOf(resource), metadata: { name, labels }, spec };
  return { resource, object };
}

function selector(...matchExpressions: readonly object[]) {
  return { matchExpressions };
}

function isIn(key: string, values: readonly string[]) {
  return { key, operator: 'In', values };
}
