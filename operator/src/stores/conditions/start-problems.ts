import { componentName } from '../names.ts';
import { credentialKeysOf, secretOf } from './advice.ts';
import { describePod, type PodView } from './component-view.ts';
import type { Finding, Predicate } from './finding.ts';
import { quote } from './quote.ts';

/** The scheduler finds no node for the pod. */
export const unscheduled: Predicate<PodView> = (subject) => {
  const { pod, view } = subject;
  if (pod.scheduled?.status !== 'False') return undefined;
  // The rest of the message is about claims or room that other pods have.
  const message = pod.scheduled.message.replace(/,? (no new claims to deallocate|preemption: ).*/, '');
  return (
    claimProblem(subject, message) ?? {
      reason: 'Unschedulable',
      message: `no node takes pod ${pod.name}: ${quote(message)}; ${placementAdvice(message, view)}`,
    }
  );
};

function placementAdvice(message: string, { component, situation }: PodView['view']): string {
  const { name } = situation.observed.store;
  return /taint|affinity|selector/i.test(message)
    ? `let it on a node, for example by tolerations, in the Deployment ${componentName(name, component)}: what is added there stays`
    : `make room, or change spec.${component}.resources`;
}

function claimProblem({ pod, view }: PodView, message: string): Finding | undefined {
  const ours = view.situation.observed.store.spec?.storage.filesystem?.claimName;
  const [, missing] = /persistentvolumeclaim "([^"]+)" not found/.exec(message) ?? [];
  if (missing !== undefined) {
    return {
      reason: 'ClaimMissing',
      message: `the PersistentVolumeClaim ${missing} (spec.storage.filesystem.claimName) does not exist in namespace ${pod.namespace}; create it, and the pod starts by itself`,
    };
  }
  if (!/unbound immediate PersistentVolumeClaims|unbound PersistentVolumeClaim/i.test(message))
    return undefined;
  const claim = ours ?? 'of the store';
  return {
    reason: 'ClaimUnbound',
    message: `the PersistentVolumeClaim ${claim} has no volume; kubectl -n ${pod.namespace} describe pvc ${claim} tells what it waits for (a storage class that exists, a volume of its size); once it is bound, the pod starts within five minutes`,
  };
}

/** The kubelet cannot mount a volume of the pod. */
export const unmounted: Predicate<PodView> = ({ pod, view }) => {
  const { observed } = view.situation;
  const failure = observed.eventMessages.get(pod.uid);
  if (failure === undefined || pod.runningSince !== undefined) return undefined;
  // The kubelet of a busy node does not know the object yet, and tries again at once.
  if (/failed to sync \w+ cache: timed out/.test(failure)) return undefined;
  const secret = secretOf(observed.store, view.component);
  const [, missing] = /secrets? "([^"]+)" not found/.exec(failure) ?? [];
  if (missing !== undefined && missing === secret) {
    return {
      reason: 'SecretMissing',
      message: `the Secret ${missing} (spec.${view.component}.credentialsSecretRef) does not exist in namespace ${pod.namespace}; create it with the keys ${credentialKeysOf(observed.store)}, and within two minutes the pod starts by itself`,
    };
  }
  return {
    reason: 'MountFailed',
    message: `a volume of pod ${pod.name} cannot be mounted: ${quote(failure)}; ${describePod(pod)} tells more`,
  };
};
