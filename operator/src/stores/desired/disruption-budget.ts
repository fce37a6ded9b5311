import type { KubernetesObject } from '../../kubernetes/api.ts';
import { selectorLabels } from '../labels.ts';
import { componentName } from '../names.ts';
import { metadataOf, type StoreContext } from './context.ts';

/** One gateway pod at a time is evicted; one that does not serve may go at any time, so that it blocks no drain of a node. */
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
