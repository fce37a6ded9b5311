import type { ObservedPod } from '../observed.ts';
import { isAlive } from '../rollout.ts';
import { type ComponentView, whyUnreachable } from './component-view.ts';
import { type Finding, firstOf } from './finding.ts';
import { hasHadTimeToAnswer, unreachableFinding } from './pod-problems.ts';
import { reportedFinding } from './reported-error.ts';

/** An error that a ready pod reports: a pod stays ready when its storage fails later. */
export function servingProblem(view: ComponentView): Finding | undefined {
  return firstOf(servingPods(view), (pod) => reportedFinding(view, pod));
}

/** No ready pod can be polled, so it is unknown whether the storage still works. */
export function servingUnknown(view: ComponentView): Finding | undefined {
  const pods = servingPods(view).map((pod) => ({ pod, why: whyUnreachable(view, pod) }));
  const [first] = pods;
  if (first?.why === undefined) return undefined;
  const { now } = view.situation;
  if (!pods.every(({ pod, why }) => why !== undefined && hasHadTimeToAnswer(pod, now))) return undefined;
  return unreachableFinding(first.pod, first.why);
}

function servingPods(view: ComponentView): readonly ObservedPod[] {
  return [...view.pods, ...view.oldPods].filter((pod) => pod.ready && isAlive(pod));
}
