import { API_VERSION, KIND } from '@largepayload/crds';
import { stringify } from 'yaml';
import type { KubernetesObject } from '../../kubernetes/api.ts';
import { CONFIG_HASH } from '../labels.ts';
import { CONFIG_KEY, configMapName } from '../names.ts';
import { hashText } from '../stable-hash.ts';
import { metadataOf, type StoreContext } from './context.ts';

/** The configuration of a store's pods. */
export interface Config {
  readonly text: string;
  readonly hash: string;
  /** the name of its ConfigMap */
  readonly name: string;
}

/** The manifest with only the fields that pods read, so that an edit of another field restarts no pod. */
export function configOf({
  namespace,
  name,
  spec,
}: Pick<StoreContext, 'namespace' | 'name' | 'spec'>): Config {
  const { storage, retention, temporalNamespaces, maxPayloadSize } = spec;
  const manifest = {
    apiVersion: API_VERSION,
    kind: KIND,
    metadata: { name, namespace },
    spec: { storage, retention, temporalNamespaces, maxPayloadSize },
  };
  const text = stringify(manifest, { aliasDuplicateObjects: false, lineWidth: 0 });
  const hash = hashText(text);
  return { text, hash, name: configMapName(name, hash) };
}

/** One ConfigMap for each content, never changed: a pod that restarts while a bad edit is rolled out keeps its configuration. */
export function configMap(context: StoreContext, config: Config): KubernetesObject {
  const metadata = metadataOf(context, config.name);
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { ...metadata, annotations: { [CONFIG_HASH]: config.hash } },
    immutable: true,
    data: { [CONFIG_KEY]: config.text },
  };
}
