import { correctCredentials } from './advice.ts';
import { clockUnconfirmed } from './clock-unconfirmed.ts';
import { componentProblem, isAvailable } from './component-problem.ts';
import { type ComponentView, reportOf, type Situation } from './component-view.ts';
import { type Finding, firstOf, no, unknown, type Verdict, yes } from './finding.ts';
import { unreachable } from './pod-problems.ts';
import { quote } from './quote.ts';
import { isLate, lastCompleted, reapingPods, reapingView } from './reaper-reports.ts';
import { servingProblem } from './serving-problem.ts';
import { keepsForever, prefixNotAllowed, storeProblem } from './store-problems.ts';

/** Whether expired payloads are removed: a pod that reaps is up, its last pass succeeded and is not long ago. */
export function reaperHealthy(situation: Situation): Verdict {
  const { store } = situation.observed;
  const problem = storeProblem(situation);
  // Without desired objects it is unknown whether the store has a reaper.
  if (situation.desired.length === 0 && problem !== undefined) return unknown(problem);
  if (keepsForever(store)) return notNeeded();
  const reserved = prefixNotAllowed(store);
  if (reserved !== undefined) return no(reserved);
  const view = reapingView(situation);
  if (!isAvailable(view)) return no(problem ?? componentProblem(view));
  return judgePasses(situation, view);
}

export function notNeeded(): Verdict {
  return yes('NotNeeded', 'spec.retention.ttl is Forever: nothing is ever removed');
}

function judgePasses(situation: Situation, view: ComponentView): Verdict {
  const failed = servingProblem(view) ?? passFailed(situation, view);
  if (failed !== undefined) return no(failed);
  const waiting = clockUnconfirmed(view);
  if (waiting !== undefined) return yes(waiting.reason, WAITS);
  const late = isLate(situation);
  if (late || lastCompleted(situation) === undefined) {
    const unpolled = noReport(view);
    if (unpolled !== undefined) return unknown(unpolled);
    return late ? no(passLate(situation, view)) : unknown(FIRST_PASS);
  }
  return yes('Reaping', `expired payloads are removed every ${intervalOf(situation)}`);
}

/** The reaper is healthy. The condition `RetentionSafe` has the finding about the clock. */
const WAITS =
  'the reaper makes its passes and removes nothing until the clock is confirmed: see the condition RetentionSafe';

function passFailed(situation: Situation, view: ComponentView): Finding | undefined {
  return firstOf(reapingPods(view), (pod) => {
    const { lastError, lastFailure } = reportOf(view, pod)?.reaper ?? {};
    if (lastError === undefined) return undefined;
    // The message of a credentials' source has its own advice.
    const concernsKeys =
      lastFailure?.code === 'storage_denied' && lastFailure.reason?.name !== 'CredentialsRefused';
    const advice = concernsKeys
      ? correctCredentials(situation.observed.store, view.component)
      : 'it is tried again within a minute';
    return {
      reason: 'PassFailed',
      message: `the last pass of pod ${pod.name} failed: ${quote(lastError)}; ${advice}`,
    };
  });
}

/** No pod that reaps has a status report, so nothing is known of its passes. */
function noReport(view: ComponentView): Finding | undefined {
  const pods = reapingPods(view);
  if (pods.some((pod) => reportOf(view, pod) !== undefined)) return undefined;
  return firstOf(pods, (pod) => unreachable({ view, pod })) ?? NO_REPORT;
}

const NO_REPORT: Finding = {
  reason: 'NoReport',
  message: 'the pod that removes expired payloads has not answered yet',
};
const FIRST_PASS: Finding = { reason: 'FirstPass', message: 'the first pass has not ended yet' };

function passLate(situation: Situation, view: ComponentView): Finding {
  const { namespace, name } = situation.observed.store;
  return {
    reason: 'PassLate',
    message: `no pass has ended for more than two intervals of ${intervalOf(situation)} and five minutes; what expired stays, and is paid for. A pass may be at work on very many payloads, or stuck: kubectl -n ${namespace} logs deployment/${name}-${view.component} tells`,
  };
}

function intervalOf({ observed }: Situation): string {
  return observed.store.spec?.retention.reaperInterval ?? '';
}
