import { API_VERSION, KIND } from '@largepayload/crds';
import { stringify } from 'yaml';
import { CONFIG_MAPS } from '../../kubernetes/resources.ts';
import { CONFIG_HASH } from '../labels.ts';
import { CONFIG_KEY, type Component, configMapName, STORAGE_ID_KEY, storageIdMapName } from '../names.ts';
import { hashText } from '../stable-hash.ts';
import { type StoreContext, type StoreObject, storeObject } from './context.ts';

/** The configuration of a store's pods. */
export interface Config {
  readonly text: string;
  readonly hash: string;
  /** the name of its ConfigMap */
  readonly name: string;
}

/** The manifest with only the fields that a component's pods read, so that an edit of another field restarts none of them. */
export function configOf(context: Omit<StoreContext, 'uid' | 'settings'>, component: Component): Config {
  const { namespace, name, spec } = context;
  const { storage, retention, temporalNamespaces, maxPayloadSize } = spec;
  const manifest = {
    apiVersion: API_VERSION,
    kind: KIND,
    metadata: { name, namespace },
    spec: {
      ...{ storage, retention, temporalNamespaces, maxPayloadSize },
      ...(component === 'gateway' && fieldsOfCallers(context)),
    },
  };
  const text = stringify(manifest, { aliasDuplicateObjects: false, lineWidth: 0 });
  const hash = hashText(text);
  return { text, hash, name: configMapName(name, hash) };
}

function fieldsOfCallers({ spec, authentication }: Pick<StoreContext, 'spec' | 'authentication'>) {
  const { allowedNamespaces, callers, gateway } = spec;
  const { oidc, cacheSize } = gateway;
  return { allowedNamespaces, callers, gateway: { authentication, oidc, cacheSize } };
}

/** One ConfigMap for each content, never changed: a pod that restarts while a bad edit is rolled out keeps its configuration. */
export function configMap(context: StoreContext, { name, text, hash }: Config): StoreObject {
  const annotations = { [CONFIG_HASH]: hash };
  return storeObject(
    context,
    CONFIG_MAPS,
    { name, annotations },
    { immutable: true, data: { [CONFIG_KEY]: text } },
  );
}

/**
 * A ConfigMap with the id of the store's storage. Pods refuse another storage then, for example after an edit of the endpoint, and
 * an empty one, as references of workflow histories would not be found there.
 * @param storageID of the status: the id that the first pod found in the storage
 */
export function storageIdMap(context: StoreContext, storageID: string): StoreObject {
  const name = storageIdMapName(context.name);
  return storeObject(context, CONFIG_MAPS, { name }, { data: { [STORAGE_ID_KEY]: storageID } });
}
