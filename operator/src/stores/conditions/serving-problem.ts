import type { ObservedPod } from '../observed.ts';
import { isAlive } from '../rollout.ts';
import { type ComponentView, reportOf, unreachable } from './component-view.ts';
import { type Finding, firstFinding } from './finding.ts';
import { hasHadTimeToAnswer, unreachableFinding } from './pod-problems.ts';
import { reportedFinding } from './reported-error.ts';

/** What pods complain about that are ready, as readiness is not taken back when the storage fails later. */
export function servingProblem(view: ComponentView): Finding | undefined {
  const { store } = view.situation.observed;
  return firstFinding(
    servingPods(view).map((pod) => () => {
      const error = reportOf(view, pod)?.error;
      if (error === undefined) return undefined;
      const { code, message: words } = error;
      return reportedFinding({ store, pod, component: view.component, code, words });
    }),
    undefined,
  );
}

/** Why nobody can tell whether the storage still works: no pod that is ready can be asked. */
export function servingUnknown(view: ComponentView): Finding | undefined {
  const silent = servingPods(view).map((pod) => ({ pod, why: unreachable(view, pod) }));
  const [first] = silent;
  if (first?.why === undefined) return undefined;
  const { now } = view.situation;
  if (!silent.every(({ pod, why }) => why !== undefined && hasHadTimeToAnswer(pod, now))) return undefined;
  return unreachableFinding(first.pod, first.why);
}

function servingPods(view: ComponentView): readonly ObservedPod[] {
  return [...view.pods, ...view.oldPods].filter((pod) => pod.ready && isAlive(pod));
}
