import { type ComponentView, describePod, type PodView, whyUnreachable } from './component-view.ts';
import { type Finding, firstOf, type Predicate } from './finding.ts';
import { lastMessage, quote } from './quote.ts';
import { reportedFinding } from './reported-error.ts';
import { unmounted, unscheduled } from './start-problems.ts';

/** A pod may take that long to start without an explanation. */
const TIME_TO_START_MS = 120_000;
/** A container may run that long without answering a poll. */
const TIME_TO_ANSWER_MS = 60_000;

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

/** Comes before how an earlier process of the pod ended. */
const reportsError: Predicate<PodView> = ({ view, pod }) =>
  pod.runningSince === undefined ? undefined : reportedFinding(view, pod);

const outOfMemory: Predicate<PodView> = ({ view, pod }) =>
  pod.ended?.reason === 'OOMKilled'
    ? {
        reason: 'OutOfMemory',
        message: `pod ${pod.name} needed more memory than its limit and was ended; raise spec.${view.component}.resources.limits.memory`,
      }
    : undefined;

const crashing: Predicate<PodView> = ({ pod }) => {
  if (pod.ended === undefined) return undefined;
  const message = lastMessage(pod.ended.message);
  const last = message === undefined ? '' : `, with the words: ${message}`;
  return {
    reason: 'Crashing',
    message: `pod ${pod.name} ends again and again (exit code ${pod.ended.exitCode})${last}; its log: kubectl -n ${pod.namespace} logs ${pod.name} --previous`,
  };
};

/** The pod runs and cannot be polled. A pod that has just begun, or is on a busy node, may miss a poll or two. */
export const unreachable: Predicate<PodView> = ({ view, pod }) => {
  const why = whyUnreachable(view, pod);
  const { runningSince } = pod;
  if (why === undefined || runningSince === undefined) return undefined;
  if (view.situation.now - runningSince < TIME_TO_ANSWER_MS) return undefined;
  return {
    reason: 'PodUnreachable',
    message: `the operator gets no answer from pod ${pod.name} on port 8578 (${quote(why)}); look for a NetworkPolicy that keeps the operator's namespace from ${pod.namespace}, and at the pod's log`,
  };
};

const notStarting: Predicate<PodView> = ({ view, pod }) => {
  if (pod.runningSince !== undefined || view.situation.now - pod.createdAt < TIME_TO_START_MS)
    return undefined;
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
  reportsError,
  outOfMemory,
  crashing,
  unreachable,
  notStarting,
];

/** Why new pods are not ready: the first predicate that has a finding about any of them. */
export function podProblem(view: ComponentView): Finding | undefined {
  const notReady = view.pods.filter(({ ready }) => !ready).map((pod) => ({ view, pod }));
  return firstOf(PREDICATES, (predicate) => firstOf(notReady, predicate));
}
