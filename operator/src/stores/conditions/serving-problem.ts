import type { ObservedPod } from '../observed.ts';
import type { ComponentView } from './component-view.ts';
import { type Finding, firstOf } from './finding.ts';
import { unreachable } from './pod-problems.ts';
import { reportedFinding } from './reported-error.ts';

/** An error that a ready pod reports: a pod stays ready when its storage fails later. */
export function servingProblem(view: ComponentView): Finding | undefined {
  return firstOf(servingPods(view), (pod) => reportedFinding(view, pod));
}

/** No ready pod can be polled, so it is unknown whether the storage still works. */
export function servingUnknown(view: ComponentView): Finding | undefined {
  const findings = servingPods(view).map((pod) => unreachable({ view, pod }));
  return findings.includes(undefined) ? undefined : findings[0];
}

function servingPods(view: ComponentView): readonly ObservedPod[] {
  return [...view.pods, ...view.oldPods].filter(({ ready }) => ready);
}
