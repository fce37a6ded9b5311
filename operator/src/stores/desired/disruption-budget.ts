import { POD_DISRUPTION_BUDGETS } from '../../kubernetes/resources.ts';
import { selectorLabels } from '../labels.ts';
import { type StoreContext, type StoreObject, storeObject } from './context.ts';

/** Evictions take one gateway pod at a time, and a pod that is not ready at any time, so that it blocks no drain of a node. */
export function disruptionBudget(context: StoreContext): StoreObject {
  return storeObject(context, POD_DISRUPTION_BUDGETS, 'gateway', {
    spec: {
      maxUnavailable: 1,
      unhealthyPodEvictionPolicy: 'AlwaysAllow',
      selector: { matchLabels: selectorLabels(context.name, 'gateway') },
    },
  });
}
