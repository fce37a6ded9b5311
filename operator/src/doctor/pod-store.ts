import { textAt } from '@largepayload/crds';
import { INJECTED_ANNOTATION } from '../injection/names.ts';
import { parseStoreName, type StoreName, selectStore } from '../injection/selection.ts';
import type { KubernetesObject, ObjectMeta } from '../kubernetes/api.ts';

/** The store that a pod asks for, by its label or that of its namespace, or else the one whose sidecar it was given. */
export function storeOfPod(
  namespace: Pick<ObjectMeta, 'labels' | 'annotations'>,
  { metadata }: KubernetesObject,
): StoreName | undefined {
  const selection = selectStore(namespace, { ...metadata, namespace: metadata.namespace ?? '' });
  if (selection.kind === 'store') return { name: selection.name, namespace: selection.namespace };
  return selection.kind === 'none' ? injectedStore(metadata) : undefined;
}

function injectedStore({ annotations, namespace = '' }: ObjectMeta): StoreName | undefined {
  try {
    const store = textAt(JSON.parse(annotations?.[INJECTED_ANNOTATION] ?? ''), 'store');
    return store === undefined ? undefined : parseStoreName(store, namespace);
  } catch {
    return undefined;
  }
}
