import { at } from '@largepayload/crds';
import { injectSidecar } from '../injection/inject-sidecar.ts';
import { mayUse, refusal } from '../injection/may-use.ts';
import { INJECT_LABEL, STORE_ANNOTATION } from '../injection/names.ts';
import type { RawPod } from '../injection/raw-pod.ts';
import { type Labelled, type StoreName, type StoreSelection, selectStore } from '../injection/selection.ts';
import type { InjectionSettings } from '../injection/sidecar.ts';
import { warningsOf } from '../injection/warnings.ts';
import type { StoreResource } from '../stores/read-store.ts';
import type { AdmissionAnswer } from './admission-review.ts';

/** What became of an admission, for metrics. */
export type AdmissionResult =
  | 'injected'
  /** it has everything */
  | 'unchanged'
  /** the pod can have no sidecar */
  | 'skipped'
  /** its label names no store */
  | 'invalid'
  /** the store does not allow its namespace */
  | 'not_allowed'
  | 'opted_out'
  | 'out_of_scope';

export interface AdmissionDecision extends AdmissionAnswer {
  readonly result: AdmissionResult;
}

export interface AdmissionSituation {
  readonly namespace: string;
  readonly pod: RawPod;
  /** labels and annotations of the namespace */
  readonly labelled: Labelled;
  readonly operatorNamespace: string;
  readonly settings: InjectionSettings;
  /** `undefined`: it does not exist */
  readonly storeOf: (name: StoreName) => Pick<StoreResource, 'spec'> | undefined;
}

export function selectionOf({
  namespace,
  pod,
  labelled,
  operatorNamespace,
}: Pick<AdmissionSituation, 'namespace' | 'pod' | 'labelled' | 'operatorNamespace'>): StoreSelection {
  const [labels, annotations] = ['labels', 'annotations'].map((field) => textsAt(pod.metadata, field));
  return selectStore(labelled, { namespace, labels, annotations }, operatorNamespace);
}

/** What to do with a pod that is to be made. */
export function decideAdmission(situation: AdmissionSituation): AdmissionDecision {
  const selection = selectionOf(situation);
  switch (selection.kind) {
    case 'none':
      return untouched('out_of_scope');
    case 'optedOut':
      return untouched('opted_out');
    case 'invalid':
      return untouched('invalid', `no sidecar: ${selection.message}`);
    case 'store':
      return withStore(situation, selection);
  }
}

function withStore(
  { namespace, pod, settings, storeOf }: AdmissionSituation,
  { name, namespace: of }: StoreName,
): AdmissionDecision {
  const found = storeOf({ name, namespace: of });
  const store = { name, namespace: of, spec: found?.spec };
  if (found !== undefined && !mayUse(store, namespace))
    return untouched('not_allowed', refusal(store, namespace));
  // The namespace of the request is what counts, whatever the object says.
  const placed = { ...pod, metadata: { ...(pod.metadata as object), namespace } };
  const injection = injectSidecar(placed, store, settings);
  if (injection.kind === 'skipped') return untouched('skipped', injection.message);
  const { patch } = injection;
  const missing = `the store ${name} of namespace ${of} does not exist: workers of the pod get 503 until it is made; check the name`;
  const warnings = [...(found === undefined ? [missing] : []), ...warningsOf(pod)];
  return { result: patch.length > 0 ? 'injected' : 'unchanged', patch, warnings };
}

function untouched(result: AdmissionResult, ...warnings: readonly string[]): AdmissionDecision {
  return { result, patch: [], warnings };
}

/** Those that selection reads: a value of another type counts as missing. */
function textsAt(metadata: unknown, field: string): Record<string, string> {
  const keys = [INJECT_LABEL, STORE_ANNOTATION, 'app.kubernetes.io/managed-by'];
  return Object.fromEntries(
    keys.flatMap((key) => {
      const value = at(metadata, field, key);
      return typeof value === 'string' ? [[key, value]] : [];
    }),
  );
}
