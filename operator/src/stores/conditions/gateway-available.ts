import { componentProblem, count, isAvailable } from './component-problem.ts';
import { type Situation, viewOf } from './component-view.ts';
import { no, type Verdict, yes } from './finding.ts';
import { storeProblem } from './store-problems.ts';

/** Whether any gateway pod serves, of whichever configuration. */
export function gatewayAvailable(situation: Situation): Verdict {
  const view = viewOf(situation, 'gateway');
  const { deployment } = view;
  if (deployment === undefined || !isAvailable(view)) {
    return no(storeProblem(situation) ?? componentProblem(view));
  }
  const { available, wanted } = deployment;
  return yes('PodsAvailable', `${Math.min(available, wanted)} of ${count(wanted, 'gateway')} available`);
}
