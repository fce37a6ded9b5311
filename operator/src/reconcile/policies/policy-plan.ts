import type { DesiredObject } from '../../stores/desired-objects.ts';
import type { ObservedObject } from '../../stores/observed.ts';
import { identityOf } from '../../stores/ownership.ts';
import { type AppliedObject, judge, versionOf } from '../../stores/write-plan/applied-object.ts';

/** The admission policies and bindings of one store. */
export interface PolicySituation {
  /** with the labels of the operator and the store; no others are ever deleted */
  readonly live: readonly ObservedObject[];
  /** in the order to apply them; `undefined`: the store cannot be read, and what is there stays */
  readonly desired: readonly DesiredObject[] | undefined;
  /** by identity: as this process has applied it, or found it as it should be */
  readonly applied: ReadonlyMap<string, AppliedObject>;
  /** monotonic */
  readonly nowMs: number;
}

export interface PolicyPlan {
  /** In this order. Without `force` an object of somebody else, which the operator does not see, is a conflict. */
  readonly apply: readonly { readonly desired: DesiredObject; readonly force: boolean }[];
  /** After everything is applied: bindings before their policy. */
  readonly remove: readonly ObservedObject[];
  /** Objects that are as they should be, and which this process has not applied. */
  readonly adopted: readonly { readonly desired: DesiredObject; readonly version: string }[];
  /** may be infinite */
  readonly lookAgainAfterMs: number;
}

/** What is left to do so that the policies of a store are as desired. */
export function planPolicies({ live, desired, applied, nowMs }: PolicySituation): PolicyPlan {
  const plan = { apply: [] as PolicyPlan['apply'][number][], adopted: [] as PolicyPlan['adopted'][number][] };
  let lookAgainAfterMs = Number.POSITIVE_INFINITY;
  if (desired === undefined) return { ...plan, remove: [], lookAgainAfterMs };
  const found = new Map(live.map((object) => [identityOf(object), object]));
  for (const each of desired) {
    const identity = identityOf(each);
    const object = found.get(identity);
    found.delete(identity);
    if (object?.deleting) continue;
    const version = object && versionOf(object);
    if (version !== undefined && object?.objectHash === each.hash && !applied.has(identity)) {
      plan.adopted.push({ desired: each, version });
      continue;
    }
    const verdict = judge(applied.get(identity), each.hash, version, nowMs);
    if (verdict.apply) plan.apply.push({ desired: each, force: object !== undefined });
    else lookAgainAfterMs = Math.min(lookAgainAfterMs, verdict.lookAgainAfterMs ?? Number.POSITIVE_INFINITY);
  }
  const obsolete = [...found.values()].filter(({ deleting }) => !deleting);
  return { ...plan, remove: obsolete.sort(bindingsFirst), lookAgainAfterMs };
}

/** A binding without its policy does nothing, but the API server complains of it. */
function bindingsFirst(one: ObservedObject, other: ObservedObject): number {
  return rank(one) - rank(other);
}

function rank({ resource }: ObservedObject): number {
  return resource.kind.endsWith('Binding') ? 0 : 1;
}
