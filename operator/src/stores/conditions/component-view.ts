import type { DesiredObject } from '../desired-objects.ts';
import type { Component } from '../names.ts';
import type { ObservedDeployment, ObservedPod, ObservedStore, ServiceReport } from '../observed.ts';
import { desiredDeployment, isAlive } from '../rollout.ts';

/** What decisions about one store's conditions are made from. */
export interface Situation {
  readonly observed: ObservedStore;
  readonly desired: readonly DesiredObject[];
  /** ms since the epoch */
  readonly now: number;
}

/** A component as the predicates look at it. */
export interface ComponentView {
  readonly situation: Situation;
  readonly component: Component;
  readonly desired: DesiredObject | undefined;
  readonly deployment: ObservedDeployment | undefined;
  /** of the newest template, by name */
  readonly pods: readonly ObservedPod[];
  /** of earlier templates */
  readonly oldPods: readonly ObservedPod[];
}

export function viewOf(situation: Situation, component: Component): ComponentView {
  const { observed, desired } = situation;
  const deployment = observed[component];
  const alive = observed.pods
    .filter((pod) => pod.component === component && isAlive(pod))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
  const isNew = ({ templateHash }: ObservedPod) => templateHash === deployment?.templateHash;
  return {
    situation,
    component,
    desired: desiredDeployment(observed.store, desired, component),
    deployment,
    pods: alive.filter(isNew),
    oldPods: alive.filter((pod) => !isNew(pod)),
  };
}

/** The pod's own answer, where there is one. */
export function reportOf({ situation }: ComponentView, { uid }: ObservedPod): ServiceReport | undefined {
  const answer = situation.observed.reports.get(uid);
  return answer !== undefined && 'report' in answer ? answer.report : undefined;
}

/** Why the pod could not be asked. */
export function unreachable({ situation }: ComponentView, { uid }: ObservedPod): string | undefined {
  const answer = situation.observed.reports.get(uid);
  return answer !== undefined && 'unreachable' in answer ? answer.unreachable : undefined;
}

/** `kubectl -n payments describe pod orders-gateway-1`, for the end of a message. */
export function describePod({ namespace, name }: ObservedPod): string {
  return `kubectl -n ${namespace} describe pod ${name}`;
}
