import type { ObservedDeployment, ObservedPod } from '../stores/observed.ts';
import type { Question } from './explaining-events.ts';

/** How long a pod may take to mount its volumes before Events are read. */
const PATIENCE_MS = 3_000;

/** Why volumes cannot be mounted; by UID of the pod. @param now ms since the epoch */
export function mountQuestions(pods: readonly ObservedPod[], now: number): readonly Question[] {
  const reasons = ['FailedMount', 'FailedAttachVolume'];
  return pods.filter(isMounting).map(({ namespace, uid, createdAt }) => {
    const fieldSelector = `involvedObject.uid=${uid},type=Warning`;
    const delayMs = Math.max(0, createdAt + PATIENCE_MS - now);
    return { key: uid, namespace, fieldSelector, reasons, delayMs };
  });
}

/**
 * Why pods cannot be made now; by name of the Deployment. The Deployment's own condition keeps the message of its first failure for
 * as long as the failure lasts.
 */
export function creationQuestions(deployments: readonly ObservedDeployment[]): readonly Question[] {
  const fieldSelector = 'involvedObject.kind=ReplicaSet,type=Warning';
  const failing = deployments.filter(({ replicaFailure }) => replicaFailure !== undefined);
  return failing.map(({ namespace, name }) => {
    // The name of a ReplicaSet is that of its Deployment and a hash; the name of another Deployment may begin the same.
    const about = new RegExp(`^${name}-[a-z0-9]+$`);
    return { key: name, namespace, fieldSelector, reasons: ['FailedCreate'], about, delayMs: 0 };
  });
}

/** Whether the pod has a node, its container never ran, and Kubernetes gives no other reason why it waits. */
function isMounting({ phase, node, deleting, waiting, runningSince, restarts }: ObservedPod): boolean {
  const isCreating = waiting === undefined || waiting.reason === 'ContainerCreating';
  const hasRun = runningSince !== undefined || restarts > 0;
  return phase === 'Pending' && node !== undefined && !deleting && isCreating && !hasRun;
}
