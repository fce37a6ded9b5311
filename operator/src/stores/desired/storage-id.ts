import { CONFIG_MAPS } from '../../kubernetes/resources.ts';
import { STORAGE_ID_KEY, storageIdMapName } from '../names.ts';
import { type StoreContext, type StoreObject, storeObject } from './context.ts';

/**
 * A ConfigMap with the id of the store's storage. Pods refuse another storage then, for example after an edit of the endpoint, and
 * an empty one, as references of workflow histories would not be found there.
 * @param storageID of the status: the id that the first pod found in the storage
 */
export function storageIdMap(context: StoreContext, storageID: string): StoreObject {
  const name = storageIdMapName(context.name);
  return storeObject(context, CONFIG_MAPS, { name }, { data: { [STORAGE_ID_KEY]: storageID } });
}
