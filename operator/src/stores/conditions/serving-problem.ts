import { isAlive } from '../rollout.ts';
import { type ComponentView, reportOf } from './component-view.ts';
import { type Finding, firstFinding } from './finding.ts';
import { complaintFinding } from './report-problems.ts';

/** What pods complain about that are ready, as readiness is not taken back when the storage fails later. */
export function servingProblem(view: ComponentView): Finding | undefined {
  const pods = [...view.pods, ...view.oldPods].filter((pod) => pod.ready && isAlive(pod));
  const { store } = view.situation.observed;
  return firstFinding(
    pods.map((pod) => () => {
      const error = reportOf(view, pod)?.error;
      if (error === undefined) return undefined;
      const { code, message: words } = error;
      return complaintFinding({ store, pod, component: view.component, code, words });
    }),
    undefined,
  );
}
