import { STORE_LABEL } from '../labels.ts';
import { templateHashOf } from '../rollout.ts';
import type { ComponentView } from './component-view.ts';
import { type Finding, firstFinding, type Predicate } from './finding.ts';
import { podProblem } from './pod-problems.ts';
import { refused } from './refused.ts';
import { refusalFacts } from './store-problems.ts';

const notMade: Predicate<ComponentView> = ({ deployment, component }) =>
  deployment === undefined
    ? { reason: 'Creating', message: `the Deployment of the ${component} is being created` }
    : undefined;

/**
 * Quotas, Pod Security, accounts and webhooks stop pods, not the Deployment that makes them. Kubernetes keeps the message of its
 * first try, and its next tries are up to 1,000 s apart, so the message may be out of date.
 */
const podsRefused: Predicate<ComponentView> = ({ situation, deployment, component }) => {
  const failure = deployment?.replicaFailure;
  if (deployment === undefined || failure?.status !== 'True') return undefined;
  const what = `a ${component} pod`;
  const place = refusalFacts(situation.observed.store, component);
  const latest = situation.observed.eventMessages.get(deployment.name);
  const refusal = latest?.replace(/^.*Error creating: /, '') ?? failure.message;
  const { reason, message } = refused({ ...place, what, refusal });
  const tryNow = `kubectl -n ${deployment.namespace} rollout restart deployment ${deployment.name}`;
  return {
    reason,
    message: `${message}. If that is put right already: Kubernetes tries again within 17 minutes, or at once by ${tryNow}`,
  };
};

/** Only a person pauses a Deployment, and only a person resumes it. */
const paused: Predicate<ComponentView> = ({ deployment }) =>
  deployment?.progressing?.reason === 'DeploymentPaused'
    ? {
        reason: 'RolloutStalled',
        message: `Deployment ${deployment.name} is paused, so that nothing is rolled out; kubectl -n ${deployment.namespace} rollout resume deployment ${deployment.name}`,
      }
    : undefined;

const stalled: Predicate<ComponentView> = ({ situation, deployment }) =>
  deployment?.progressing?.reason === 'ProgressDeadlineExceeded'
    ? {
        reason: 'RolloutStalled',
        message: `the rollout of Deployment ${deployment.name} has made no progress for ten minutes; kubectl -n ${deployment.namespace} describe pods -l ${STORE_LABEL}=${situation.observed.store.name} tells more`,
      }
    : undefined;

const rollingOut: Predicate<ComponentView> = (view) => {
  const { deployment, component, pods } = view;
  if (deployment === undefined || deployment.available === 0) return undefined;
  if (!isUpToDate(view)) {
    const isNew = pods.filter(({ ready }) => ready).length;
    const serving = `${Math.min(isNew, deployment.wanted)} of ${count(deployment.wanted, component)}`;
    return {
      reason: 'RollingOut',
      message: `${serving} ready with the newest configuration; the others keep serving`,
    };
  }
  const serving = `${deployment.available} of ${count(deployment.wanted, component)}`;
  return { reason: 'Starting', message: `${serving} ready; the others are starting` };
};

const starting: Predicate<ComponentView> = ({ component }) => ({
  reason: 'Starting',
  message: `no ${component} pod is ready yet; they are starting`,
});

// A pod that exists explains more than the refusal of another one, which may be old.
const PREDICATES = [notMade, podProblem, paused, podsRefused, stalled, rollingOut, starting];

/** Why a component is not as it should be. `starting` always has a finding, so call this only for such a component. */
export function componentProblem(view: ComponentView): Finding {
  return firstFinding(PREDICATES, view) as Finding;
}

/**
 * Whether all pods that run have the store's present configuration, and one is ready. Judged by the pods, as the status of a
 * Deployment that is being scaled is out of date for a moment.
 */
export function isUpToDate({ desired, deployment, pods, oldPods }: ComponentView): boolean {
  return (
    desired !== undefined &&
    templateHashOf(desired) === deployment?.templateHash &&
    oldPods.length === 0 &&
    pods.some(({ ready }) => ready)
  );
}

export function isAvailable({ deployment }: ComponentView): boolean {
  return deployment !== undefined && deployment.available > 0;
}

/** `2 gateway pods are`, `1 gateway pod is` */
export function count(number: number, component: string): string {
  return number === 1 ? `1 ${component} pod is` : `${number} ${component} pods are`;
}
