import type { ObservedPod } from '../observed.ts';
import { type ComponentView, describePod, reportOf, unreachable } from './component-view.ts';
import { type Finding, firstFinding, type Predicate } from './finding.ts';
import { lastMessage, quote } from './quote.ts';
import { reportedFinding } from './reported-error.ts';
import { unmounted, unscheduled } from './start-problems.ts';

/** ms that a pod may take to start unexplained */
const TIME_TO_START = 120_000;
/** ms that a container may run without an answer */
const TIME_TO_ANSWER = 60_000;

/** A pod that is not ready. */
export interface PodView {
  readonly view: ComponentView;
  readonly pod: ObservedPod;
}

const IMAGE_REASONS = [
  'ErrImagePull',
  'ImagePullBackOff',
  'ErrImageNeverPull',
  'InvalidImageName',
  'ImageInspectError',
  'RegistryUnavailable',
];
const CONTAINER_REASONS = [
  'CreateContainerConfigError',
  'CreateContainerError',
  'RunContainerError',
  'PreCreateHookError',
  'PreStartHookError',
  'PostStartHookError',
];

const imagePull: Predicate<PodView> = ({ pod }) => {
  if (!IMAGE_REASONS.includes(pod.waiting?.reason ?? '')) return undefined;
  // Kubernetes alternates between an error and waiting for the next try, with the same cause in both.
  const cause = pod.waiting?.message.replace(/^Back-off pulling image "[^"]*":? ?(\w+: )?/, '') ?? '';
  const because = cause === '' ? '' : `: ${quote(cause)}`;
  return {
    reason: 'ImagePullFailed',
    message: `node ${pod.node ?? 'unknown'} cannot get the image ${pod.image ?? ''} for pod ${pod.name}${because}; image and pull secrets come from the values of the operator's Helm chart, and the pull secrets have to be in namespace ${pod.namespace}`,
  };
};

const containerRefused: Predicate<PodView> = ({ pod }) => {
  if (!CONTAINER_REASONS.includes(pod.waiting?.reason ?? '')) return undefined;
  return {
    reason: 'ContainerRefused',
    message: `the container of pod ${pod.name} cannot be started: ${quote(pod.waiting?.message ?? '')}`,
  };
};

/** The words of the process that runs now count more than those of one that ended. */
const complains: Predicate<PodView> = ({ view, pod }) => {
  const error = reportOf(view, pod)?.error;
  if (error === undefined || pod.runningSince === undefined) return undefined;
  const { store } = view.situation.observed;
  return reportedFinding({ store, pod, component: view.component, code: error.code, words: error.message });
};

const outOfMemory: Predicate<PodView> = ({ view, pod }) =>
  pod.ended?.reason === 'OOMKilled'
    ? {
        reason: 'OutOfMemory',
        message: `pod ${pod.name} needed more memory than its limit and was ended; raise spec.${view.component}.resources.limits.memory`,
      }
    : undefined;

const crashing: Predicate<PodView> = ({ pod }) => {
  if (pod.ended === undefined) return undefined;
  const words = lastMessage(pod.ended.message);
  const last = words === undefined ? '' : `, with the words: ${words}`;
  return {
    reason: 'Crashing',
    message: `pod ${pod.name} ends again and again (exit code ${pod.ended.exitCode})${last}; its log: kubectl -n ${pod.namespace} logs ${pod.name} --previous`,
  };
};

const silent: Predicate<PodView> = ({ view, pod }) => {
  const why = unreachable(view, pod);
  if (why === undefined || !hasHadTimeToAnswer(pod, view.situation.now)) return undefined;
  return unreachableFinding(pod, why);
};

/** A pod that has just begun, or a node that is busy, may miss an answer or two. */
export function hasHadTimeToAnswer({ runningSince }: ObservedPod, now: number): boolean {
  return runningSince !== undefined && now - runningSince >= TIME_TO_ANSWER;
}

/** A pod that runs and cannot be asked. */
export function unreachableFinding(pod: ObservedPod, why: string): Finding {
  return {
    reason: 'PodUnreachable',
    message: `the operator gets no answer from pod ${pod.name} on port 8578 (${quote(why)}); look for a NetworkPolicy that keeps the operator's namespace from ${pod.namespace}, and at the pod's log`,
  };
}

const notStarting: Predicate<PodView> = ({ view, pod }) => {
  if (pod.runningSince !== undefined || view.situation.now - pod.createdAt < TIME_TO_START) return undefined;
  const state = pod.waiting?.reason ?? pod.phase;
  return {
    reason: 'NotStarting',
    message: `pod ${pod.name} has not started in two minutes (${state}); ${describePod(pod)} tells more`,
  };
};

const PREDICATES: readonly Predicate<PodView>[] = [
  unscheduled,
  imagePull,
  unmounted,
  containerRefused,
  complains,
  outOfMemory,
  crashing,
  silent,
  notStarting,
];

/** Why new pods are not ready: the first predicate that any of them makes speak. */
export function podProblem(view: ComponentView): Finding | undefined {
  const waiting = view.pods.filter(({ ready }) => !ready).map((pod) => ({ view, pod }));
  return firstFinding(
    PREDICATES.map((predicate) => () => firstOf(predicate, waiting)),
    undefined,
  );
}

function firstOf(predicate: Predicate<PodView>, pods: readonly PodView[]): Finding | undefined {
  return firstFinding(
    pods.map((pod) => () => predicate(pod)),
    undefined,
  );
}
