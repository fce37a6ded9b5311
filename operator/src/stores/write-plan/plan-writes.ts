import { NETWORK_POLICIES } from '../../kubernetes/resources.ts';
import type { DesiredObject } from '../desired-objects.ts';
import type { ObservedStore } from '../observed.ts';
import { identityOf } from '../ownership.ts';
import { nextStep } from './next-step.ts';
import { obsoleteObjects } from './obsolete-objects.ts';
import { podNeeds } from './pod-needs.ts';
import { isPostponed, postponedAfter, retryAfterMs } from './postponed.ts';
import type { WriteAction } from './write-action.ts';
import { isTroubled, type WriteState } from './write-state.ts';

export interface WritePlan {
  /** In this order. After a look, or an action that is not done as planned, the rest is void: plan again. */
  readonly actions: readonly WriteAction[];
  /** when to plan again though nothing seems to change; may be infinite */
  readonly lookAgainAfterMs: number;
}

/**
 * What is left to do in this round so that the cluster is as desired.
 * @param observed as it was when the round began
 * @param nowMs monotonic
 */
export function planWrites(
  observed: ObservedStore,
  desired: readonly DesiredObject[],
  state: WriteState,
  nowMs: number,
): WritePlan {
  const { store } = observed;
  const live = new Map(observed.objects.map((object) => [identityOf(object), object]));
  const actions: WriteAction[] = [];
  /** No pod is made that would use these. */
  const missing = new Set<string>();
  let lookAgainAfterMs = Math.min(
    retryHereAfterMs(observed, state),
    retryElsewhereAfterMs(observed, state, nowMs),
  );
  for (const each of desired) {
    if (podNeeds(each).some((needed) => missing.has(needed))) continue;
    const identity = identityOf(each);
    if (isPostponed(state.postponed.get(identity), nowMs)) continue;
    const attempt = state.attempts.get(identity) ?? {};
    const facts = { live: live.get(identity), attempt, applied: state.applied.get(identity) };
    const step = nextStep({ store, desired: each, nowMs, ...facts });
    if (step.action !== undefined) actions.push(step.action);
    lookAgainAfterMs = Math.min(lookAgainAfterMs, step.lookAgainAfterMs ?? Number.POSITIVE_INFINITY);
    if (!step.isMissing) continue;
    // Without its policy a pod would be open to all pods of the cluster, and pods come after policies.
    if (each.resource === NETWORK_POLICIES) break;
    missing.add(identity);
  }
  for (const object of obsoleteObjects(observed, desired)) {
    const identity = identityOf(object);
    if (state.attempts.has(identity) || isPostponed(state.postponed.get(identity), nowMs)) continue;
    actions.push({ kind: 'delete', object });
  }
  return { actions, lookAgainAfterMs };
}

function retryHereAfterMs({ store }: ObservedStore, state: WriteState): number {
  return isTroubled(state, store) ? retryAfterMs(state.troubledRounds) : Number.POSITIVE_INFINITY;
}

function retryElsewhereAfterMs({ store }: ObservedStore, state: WriteState, nowMs: number): number {
  // As the next round will have it.
  const postponed = postponedAfter(state.postponed, state.attempts, store, nowMs, state.longestRetryMs);
  const waits = [...postponed.values()].map(({ untilMs }) => untilMs - nowMs);
  return Math.min(...waits.filter((wait) => wait > 0));
}
