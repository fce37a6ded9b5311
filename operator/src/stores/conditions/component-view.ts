import type { ReadStatusReport } from '@largepayload/crds';
import type { DesiredObject } from '../desired-objects.ts';
import type { Component } from '../names.ts';
import type { ObservedDeployment, ObservedPod, ObservedStore } from '../observed.ts';
import { desiredDeployment, isAlive } from '../rollout.ts';

/** All that the conditions of a store depend on. */
export interface Situation {
  readonly observed: ObservedStore;
  readonly desired: readonly DesiredObject[];
  /** why the namespace has no certificate as it should be, for people; absent: it has, or that is not known */
  readonly certificateProblem?: string | undefined;
  /** ms since the epoch */
  readonly now: number;
}

/** A component as its predicates see it. */
export interface ComponentView {
  readonly situation: Situation;
  readonly component: Component;
  readonly desired: DesiredObject | undefined;
  readonly deployment: ObservedDeployment | undefined;
  /** those of the newest template, ordered by name */
  readonly pods: readonly ObservedPod[];
  /** those of earlier templates */
  readonly oldPods: readonly ObservedPod[];
}

/** A pod that is not ready. */
export interface PodView {
  readonly view: ComponentView;
  readonly pod: ObservedPod;
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

/** The pod's status report, where the last poll got one. */
export function reportOf({ situation }: ComponentView, { uid }: ObservedPod): ReadStatusReport | undefined {
  const poll = situation.observed.reports.get(uid);
  return poll !== undefined && 'report' in poll ? poll.report : undefined;
}

/** Why the last poll of the pod got no status report. */
export function whyUnreachable({ situation }: ComponentView, { uid }: ObservedPod): string | undefined {
  const poll = situation.observed.reports.get(uid);
  return poll !== undefined && 'unreachable' in poll ? poll.unreachable : undefined;
}

/** `kubectl -n payments describe pod orders-gateway-1`, for the end of a message. */
export function describePod({ namespace, name }: ObservedPod): string {
  return `kubectl -n ${namespace} describe pod ${name}`;
}
