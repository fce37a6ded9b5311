import type { Verdict } from './conditions/finding.ts';
import { type Condition, conditionOf, type StoreResource } from './read-store.ts';

/** A verdict as a condition of the store. It keeps the time of its last transition while its status stays. @param now ms since the epoch */
export function asCondition(
  { store, now }: { readonly store: StoreResource; readonly now: number },
  type: string,
  verdict: Verdict,
): Condition {
  const before = conditionOf(store.status, type);
  const since = before?.status === verdict.status ? before.lastTransitionTime : rfc3339(now);
  return { type, ...verdict, lastTransitionTime: since, observedGeneration: store.generation };
}

export function rfc3339(time: number): string {
  return new Date(time).toISOString().replace(/\.\d+Z$/, 'Z');
}
