import type { KubernetesObject } from '../../kubernetes/api.ts';
import { selectorLabels } from '../labels.ts';
import { componentName } from '../names.ts';
import { metadataOf, type StoreContext } from './context.ts';

/** Evictions take one gateway pod at a time, and a pod that is not ready at any time, so that it blocks no drain of a node. */
export function disruptionBudget(context: StoreContext): KubernetesObject {
  return {
    apiVersion: 'policy/v1',
    kind: 'PodDisruptionBudget',
    metadata: metadataOf(context, componentName(context.name, 'gateway'), 'gateway'),
    spec: {
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      selector: { matchLabels: selectorLabels(context.name, 'gateway') },
    },
  };
}
