import { NETWORK_POLICIES } from '../../kubernetes/resources.ts';
import type { DesiredObject } from '../desired-objects.ts';
import type { ObservedStore } from '../observed.ts';
import { identityOf } from '../ownership.ts';
import { nextStep } from './next-step.ts';
import { obsoleteObjects } from './obsolete-objects.ts';
import { podNeeds } from './pod-needs.ts';
import type { WriteAction } from './write-action.ts';
import { isTroubled, type WriteState } from './write-state.ts';

/** Until a refused write is tried again, longer with each round: a quota may have been raised. */
const FIRST_RETRY_MS = 2_000;
const LONGEST_RETRY_MS = 60_000;

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
  let lookAgainAfterMs = retryAfterMs(observed, state);
  for (const each of desired) {
    if (podNeeds(each).some((needed) => missing.has(needed))) continue;
    const identity = identityOf(each);
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
    if (!state.attempts.has(identityOf(object))) actions.push({ kind: 'delete', object });
  }
  return { actions, lookAgainAfterMs };
}

function retryAfterMs({ store }: ObservedStore, state: WriteState): number {
  if (!isTroubled(state, store)) return Number.POSITIVE_INFINITY;
  return Math.min(FIRST_RETRY_MS * 2 ** state.troubledRounds, LONGEST_RETRY_MS);
}
