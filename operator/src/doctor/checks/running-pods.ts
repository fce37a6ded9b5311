import { textAt } from '@largepayload/crds';
import type { KubernetesObject } from '../../kubernetes/api.ts';
import { valueIn } from '../reading.ts';
import type { Situation } from '../situation.ts';

/** Pods that have not finished and are not being deleted. */
export function runningPods({ pods }: Situation): readonly KubernetesObject[] {
  return (valueIn(pods)?.items ?? []).filter(
    (pod) =>
      pod.metadata.deletionTimestamp === undefined &&
      !['Succeeded', 'Failed'].includes(textAt(pod, 'status', 'phase') ?? ''),
  );
}
