import { componentName } from '../names.ts';
import { describePod } from './component-view.ts';
import type { Finding, Predicate } from './finding.ts';
import type { PodView } from './pod-problems.ts';
import { quote } from './quote.ts';

/** The scheduler's words, for a pod that no node takes. */
export const unscheduled: Predicate<PodView> = (subject) => {
  const { pod, view } = subject;
  if (pod.scheduled?.status !== 'False') return undefined;
  // What follows tells what else was tried: to take claims or room from other pods.
  const words = pod.scheduled.message.replace(/,? (no new claims to deallocate|preemption: ).*/, '');
  return (
    claimProblem(subject, words) ?? {
      reason: 'Unschedulable',
      message: `no node takes pod ${pod.name}: ${quote(words)}; ${placementAdvice(words, view)}`,
    }
  );
};

function placementAdvice(words: string, { component, situation }: PodView['view']): string {
  const { name } = situation.observed.store;
  return /taint|affinity|selector/i.test(words)
    ? `let it on a node, for example by tolerations, in the Deployment ${componentName(name, component)}: what is added there stays`
    : `make room, or change spec.${component}.resources`;
}

function claimProblem({ pod, view }: PodView, words: string): Finding | undefined {
  const ours = view.situation.observed.store.spec?.storage.filesystem?.claimName;
  const [, missing] = /persistentvolumeclaim "([^"]+)" not found/.exec(words) ?? [];
  if (missing !== undefined) {
    return {
      reason: 'ClaimMissing',
      message: `the PersistentVolumeClaim ${missing} (spec.storage.filesystem.claimName) does not exist in namespace ${pod.namespace}; create it, and the pod starts by itself`,
    };
  }
  if (!/unbound immediate PersistentVolumeClaims|unbound PersistentVolumeClaim/i.test(words))
    return undefined;
  const claim = ours ?? 'of the store';
  return {
    reason: 'ClaimUnbound',
    message: `the PersistentVolumeClaim ${claim} has no volume; kubectl -n ${pod.namespace} describe pvc ${claim} tells what it waits for (a storage class that exists, a volume of its size)`,
  };
}

/** The kubelet's words, for a volume that a pod waits for. */
export const unmounted: Predicate<PodView> = ({ pod, view }) => {
  const { observed } = view.situation;
  const words = observed.mountFailures.get(pod.uid);
  if (words === undefined || pod.runningSince !== undefined) return undefined;
  // A node that is busy has not heard of the object yet, and asks again at once.
  if (/failed to sync \w+ cache: timed out/.test(words)) return undefined;
  const secret = observed.store.spec?.[view.component]?.credentialsSecretRef?.name;
  const [, missing] = /secrets? "([^"]+)" not found/.exec(words) ?? [];
  if (missing !== undefined && missing === secret) {
    return {
      reason: 'SecretMissing',
      message: `the Secret ${missing} (spec.${view.component}.credentialsSecretRef) does not exist in namespace ${pod.namespace}; create it with the keys AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and within two minutes the pod starts by itself`,
    };
  }
  return {
    reason: 'MountFailed',
    message: `a volume of pod ${pod.name} cannot be mounted: ${quote(words)}; ${describePod(pod)} tells more`,
  };
};
