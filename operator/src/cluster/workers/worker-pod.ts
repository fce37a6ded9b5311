import { textAt, timeAt } from '@largepayload/crds';
import { judgePod, type PodVerdict } from '../../injection/judge-pod.ts';
import { mayUse, refusal } from '../../injection/may-use.ts';
import { INJECT_LABEL } from '../../injection/names.ts';
import { ownerOf, type PodOwner } from '../../injection/pod-owner.ts';
import { type LabelledPod, type StoreName, selectStore } from '../../injection/selection.ts';
import { type InjectionSettings, type Sidecar, sidecarFor } from '../../injection/sidecar.ts';
import type { KubernetesObject } from '../../kubernetes/api.ts';
import type { StoreResource } from '../../stores/read-store.ts';
import { labelledAt } from '../namespace.ts';
import type { StoreView } from '../store-view.ts';

/** Which store a pod asks for by its labels. */
export interface PodScope {
  /** `undefined`: the label names none */
  readonly store: StoreName | undefined;
  /** as the store is now; `undefined`: it does not exist */
  readonly resource: StoreResource | undefined;
  /** why no store can report the pod, for people: there is none, or it does not allow the pod */
  readonly problem: string | undefined;
}

/** What is kept of a pod in scope that has been read. */
export interface WorkerPod {
  readonly uid: string;
  /** the key of the store that it asks for; `undefined`: its label names none */
  readonly store: string | undefined;
  readonly state: PodVerdict['kind'];
  /** for people; empty for injected pods */
  readonly why: string;
  /** why no store reports it, for people */
  readonly problem: string | undefined;
  readonly owner: PodOwner | undefined;
  /** ms since the epoch */
  readonly createdAt: number;
  /** when the pod's own label was written, ms since the epoch; `undefined`: the namespace's label selects the store */
  readonly labelledAt: number | undefined;
  /** It asks to be left where it is. */
  readonly isPinned: boolean;
}

type View = Pick<StoreView, 'namespace' | 'store'>;

/** @returns `undefined`: the pod is not in scope */
export function scopeOf(pod: LabelledPod, view: View, operatorNamespace: string): PodScope | undefined {
  const selection = selectStore(view.namespace(pod.namespace) ?? {}, pod, operatorNamespace);
  if (selection.kind === 'none' || selection.kind === 'optedOut') return undefined;
  if (selection.kind === 'invalid')
    return { store: undefined, resource: undefined, problem: selection.message };
  const store = { name: selection.name, namespace: selection.namespace };
  const resource = view.store(keyOfStore(store));
  return { store, resource, problem: problemOf(store, resource, pod.namespace) };
}

function problemOf(store: StoreName, resource: StoreResource | undefined, namespace: string) {
  if (resource === undefined)
    return `the store ${store.name} of namespace ${store.namespace} does not exist: create it, or correct the label; until then payloads are refused`;
  return mayUse(resource, namespace) ? undefined : refusal(store, namespace);
}

export function keyOfStore({ namespace, name }: StoreName): string {
  return `${namespace}/${name}`;
}

/** @param pod in full */
export function workerOf(pod: KubernetesObject, scope: PodScope, settings: InjectionSettings): WorkerPod {
  const { metadata } = pod;
  const { store, problem } = scope;
  const verdict = verdictOf(pod, scope, settings);
  const hasOwnLabel = metadata.labels?.[INJECT_LABEL] !== undefined;
  const createdAt = timeAt(metadata, 'creationTimestamp') ?? 0;
  return {
    uid: metadata.uid ?? '',
    store: store && keyOfStore(store),
    state: verdict.kind,
    why: 'message' in verdict ? verdict.message : '',
    problem,
    owner: ownerOf(metadata),
    createdAt,
    labelledAt: hasOwnLabel ? (labelledAt(metadata) ?? createdAt) : undefined,
    isPinned: textAt(metadata, 'annotations', SAFE_TO_EVICT) === 'false',
  };
}

/** With `false` nothing but a person should end the pod: the wish is written for the cluster autoscaler. */
const SAFE_TO_EVICT = 'cluster-autoscaler.kubernetes.io/safe-to-evict';

function verdictOf(
  pod: KubernetesObject,
  { store, resource, problem }: PodScope,
  settings: InjectionSettings,
): PodVerdict {
  if (store !== undefined && (resource === undefined || problem === undefined))
    return judgePod(pod, store, sidecarOf(resource, settings));
  // Whatever it has, no gateway admits it.
  return { kind: 'missed', reason: 'NoSidecar', message: problem ?? '' };
}

/** What a new pod of the store would get; `undefined`: unknown, because the store does not exist or cannot be read. */
export function sidecarOf(
  resource: StoreResource | undefined,
  settings: InjectionSettings,
): Pick<Sidecar, 'annotation'> | undefined {
  return resource?.spec === undefined ? undefined : sidecarFor(resource, settings);
}
