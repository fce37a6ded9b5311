import { GROUP } from '@largepayload/crds';
import type { StoreName } from '../selection.ts';

/** Whose label asks for the store: a binding for each. */
export const BINDINGS = ['namespace', 'pod'] as const;
export type BindingKind = (typeof BINDINGS)[number];

/** The name of the policy of a store. Policies belong to no namespace. At most 128 characters. */
export function policyName({ name, namespace }: StoreName): string {
  return `${name}.${namespace}.inject.${GROUP}`;
}

export function bindingName(store: StoreName, kind: BindingKind): string {
  return `${policyName(store)}-${kind}`;
}
