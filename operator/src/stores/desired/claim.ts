import type { KubernetesObject } from '../../kubernetes/api.ts';
import { CLAIM_KEY, claimName } from '../names.ts';
import { metadataOf, type StoreContext } from './context.ts';

/**
 * Tells pods which storage the store has: any other, after an edit of its endpoint for example, or an empty one is then no place
 * to go on in, where references of workflow histories would not be found.
 * @param storageID of the status: what the first pod has found in the storage
 */
export function claim(context: StoreContext, storageID: string): KubernetesObject {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: metadataOf(context, claimName(context.name)),
    data: { [CLAIM_KEY]: storageID },
  };
}
