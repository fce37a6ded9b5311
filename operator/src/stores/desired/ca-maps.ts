import { CONFIG_MAPS, kindOf } from '../../kubernetes/resources.ts';
import { objectLabels, STORE_NAMESPACE_LABEL } from '../labels.ts';
import { CA_KEY, caMapName, publishedCaMapName } from '../names.ts';
import type { StoreResource } from '../read-store.ts';
import { type StoreObject, storeObject } from './context.ts';

/**
 * ConfigMaps with the certificates that clients trust, for the namespace of the store and each one that it allows.
 * @param bundle PEM
 */
export function caMaps(store: StoreResource, bundle: string): readonly StoreObject[] {
  const data = { [CA_KEY]: bundle };
  const own = storeObject(store, CONFIG_MAPS, { name: caMapName(store.name) }, { data });
  const others = otherNamespaces(store).map((namespace) => publishedCaMap(store, namespace, data));
  return [own, ...others];
}

/** The namespaces, besides the store's own, whose pods may use the store; none of a spec that cannot be read. */
export function otherNamespaces({ namespace, spec }: StoreResource): readonly string[] {
  return (spec?.allowedNamespaces ?? []).filter((each) => each !== namespace);
}

/** An object of another namespace cannot have the store as its owner, so labels name the store. */
function publishedCaMap(
  { name: store, namespace: storeNamespace }: StoreResource,
  namespace: string,
  data: Readonly<Record<string, string>>,
): StoreObject {
  const name = publishedCaMapName(store, storeNamespace);
  const labels = { ...objectLabels(store, undefined), [STORE_NAMESPACE_LABEL]: storeNamespace };
  return {
    resource: CONFIG_MAPS,
    object: { ...kindOf(CONFIG_MAPS), metadata: { name, namespace, labels }, data },
  };
}
