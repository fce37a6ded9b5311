import type { WorkerPod } from '../../cluster/workers/worker-pod.ts';
import type { PodOwner } from '../../injection/pod-owner.ts';

/** Which missed pods may be evicted. */
export type EvictMissed = 'CreatedAfterLabel' | 'All';

/**
 * Controllers that make a pod anew at once, and lose nothing by that. The pod of a Job would count as a failure and begin its work
 * again, and what others would do is not known.
 */
const HEALED_OWNERS: ReadonlySet<string> = new Set([
  'apps/v1 ReplicaSet',
  'apps/v1 StatefulSet',
  'apps/v1 DaemonSet',
  'v1 ReplicationController',
]);

/** Whether a new pod of the owner is made for each that is evicted. */
export function isHealed(owner: PodOwner | undefined): owner is PodOwner {
  return owner !== undefined && HEALED_OWNERS.has(`${owner.apiVersion} ${owner.kind}`);
}

/**
 * Whether a pod may be evicted to give it a sidecar.
 * @param labelledAt when the label of its namespace was written, ms since the epoch; `undefined`: not known
 */
export function isCandidate(pod: WorkerPod, mode: EvictMissed, labelledAt: number | undefined): boolean {
  const isMissed = pod.state === 'missed' && pod.problem === undefined;
  if (!isMissed || pod.isPinned || !isHealed(pod.owner)) return false;
  return mode === 'All' || isNewer(pod, labelledAt);
}

/** Both times have whole seconds. A pod that came with its own label is as old as that. */
function isNewer(pod: WorkerPod, namespaceLabelledAt: number | undefined): boolean {
  if (pod.labelledAt !== undefined) return pod.createdAt >= pod.labelledAt;
  return namespaceLabelledAt !== undefined && pod.createdAt > namespaceLabelledAt;
}
