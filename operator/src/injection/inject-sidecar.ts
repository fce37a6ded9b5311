import { at, textAt } from '@largepayload/crds';
import { environmentPatch } from './environment.ts';
import { INJECTED_ANNOTATION } from './names.ts';
import { hasItem, itemsOf, type PatchOperation, pointer, type RawPod, sidecarOf } from './raw-pod.ts';
import { type InjectedStore, type InjectionSettings, type Sidecar, sidecarFor } from './sidecar.ts';
import { type Skip, skipOf } from './skip-reasons.ts';

export type InjectionResult =
  /** no operation: the pod has everything */
  | { readonly kind: 'injected'; readonly patch: readonly PatchOperation[] }
  | ({ readonly kind: 'skipped' } & Skip);

/**
 * What a pod needs to use a store by a sidecar, as a JSON patch. Applied twice it changes nothing more. A pod that has the
 * container gets no other, but its other containers get the environment: another admission may have added them since.
 * @param pod as JSON; without `metadata.namespace` it is in the namespace of the store
 */
export function injectSidecar(
  pod: RawPod,
  store: InjectedStore,
  settings: InjectionSettings,
): InjectionResult {
  const skip = skipOf(pod);
  if (skip !== undefined) return { kind: 'skipped', ...skip };
  const sidecar = sidecarFor(store, settings);
  const isOwn = (textAt(pod.metadata, 'namespace') ?? store.namespace) === store.namespace;
  const patch = [
    // Before the container is inserted, which moves the other init containers.
    ...environmentPatch(pod, sidecar.environment),
    ...(sidecarOf(pod) === undefined ? sidecarPatch(pod, sidecar, isOwn) : []),
  ];
  return { kind: 'injected', patch };
}

function sidecarPatch(pod: RawPod, sidecar: Sidecar, isOwn: boolean): readonly PatchOperation[] {
  const secrets = sidecar.imagePullSecrets.filter(({ name }) => !hasItem(pod, 'imagePullSecrets', name));
  return [
    ...add(pod, 'initContainers', [sidecar.container], 'first'),
    ...add(pod, 'volumes', [isOwn ? sidecar.volume : sidecar.volumeElsewhere]),
    ...add(pod, 'imagePullSecrets', secrets),
    ...annotate(pod, JSON.stringify(sidecar.annotation)),
  ];
}

function add(
  pod: RawPod,
  list: string,
  items: readonly unknown[],
  place?: 'first',
): readonly PatchOperation[] {
  if (items.length === 0) return [];
  if (itemsOf(pod, list).length === 0) return [{ op: 'add', path: pointer('spec', list), value: items }];
  const path = pointer('spec', list, place === 'first' ? 0 : '-');
  return items.map((value) => ({ op: 'add', path, value }));
}

function annotate({ metadata }: RawPod, text: string): readonly PatchOperation[] {
  const has = (value: unknown) => typeof value === 'object' && value !== null;
  if (has(at(metadata, 'annotations')))
    return [{ op: 'add', path: pointer('metadata', 'annotations', INJECTED_ANNOTATION), value: text }];
  const annotations = { [INJECTED_ANNOTATION]: text };
  return has(metadata)
    ? [{ op: 'add', path: pointer('metadata', 'annotations'), value: annotations }]
    : [{ op: 'add', path: pointer('metadata'), value: { annotations } }];
}
