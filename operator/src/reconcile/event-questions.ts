import type { ObservedDeployment, ObservedPod } from '../stores/observed.ts';
import type { Question } from './explaining-events.ts';

/** ms that a pod may take to mount its volumes before anybody asks why */
const PATIENCE = 3_000;

/** Why volumes cannot be mounted; by UID of the pod. */
export function mountQuestions(pods: readonly ObservedPod[]): readonly Question[] {
  const reasons = ['FailedMount', 'FailedAttachVolume'];
  return pods.filter(isMounting).map(({ namespace, uid, createdAt }) => {
    const fieldSelector = `involvedObject.uid=${uid},type=Warning`;
    return { key: uid, selection: { namespace, fieldSelector, reasons }, from: createdAt + PATIENCE };
  });
}

/**
 * Why pods cannot be made, as it is now; by name of the Deployment, whose own condition keeps the words of its first failure for
 * as long as it lasts.
 */
export function creationQuestions(deployments: readonly ObservedDeployment[]): readonly Question[] {
  const fieldSelector = 'involvedObject.kind=ReplicaSet,type=Warning';
  const failing = deployments.filter(({ replicaFailure }) => replicaFailure !== undefined);
  return failing.map(({ namespace, name }) => {
    // A ReplicaSet is named as its Deployment and a hash; another Deployment's name may begin as this one's.
    const about = new RegExp(`^${name}-[a-z0-9]+$`);
    return { key: name, selection: { namespace, fieldSelector, reasons: ['FailedCreate'], about }, from: 0 };
  });
}

/** It has a node, and no container that ever ran or says what else it waits for. */
function isMounting({ phase, node, deleting, waiting, runningSince, restarts }: ObservedPod): boolean {
  const says = waiting === undefined || waiting.reason === 'ContainerCreating';
  return (
    phase === 'Pending' &&
    node !== undefined &&
    !deleting &&
    says &&
    runningSince === undefined &&
    restarts === 0
  );
}
