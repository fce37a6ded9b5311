import { at } from '@largepayload/crds';
import { injectSidecar } from '../inject-sidecar.ts';
import { INJECT_LABEL, STORE_ANNOTATION } from '../names.ts';
import { type PatchOperation, pointer, type RawPod, sidecarOf } from '../raw-pod.ts';
import { type Labelled, parseStoreName, type StoreName, selectStore } from '../selection.ts';
import type { InjectionSettings } from '../sidecar.ts';
import { warningsOf } from '../warnings.ts';
import { DocumentError, parseManifest } from './manifest-document.ts';
import { type PodPlace, podPlaces } from './pod-places.ts';
import { splitDocuments, type TextPart } from './split-documents.ts';

export interface ManifestOptions {
  /** STORE or STORE.NAMESPACE, as a label of the namespace would name it */
  readonly store: string;
  /** of objects that have none */
  readonly namespace: string | undefined;
  readonly settings: InjectionSettings;
}

/** What became of the pods of one object. */
export interface ManifestOutcome {
  /** KIND NAMESPACE/NAME */
  readonly object: string;
  /** `present`: it had a sidecar, and only the environment is completed */
  readonly kind: 'injected' | 'present' | 'skipped';
  /** of `injected` the store as STORE.NAMESPACE, else why nothing was injected, for people */
  readonly message: string;
  readonly warnings: readonly string[];
}

export interface InjectedManifests {
  readonly text: string;
  readonly outcomes: readonly ManifestOutcome[];
}

/** A file cannot be read, or says something that cannot be done; the message has the document and the fix. */
export class ManifestsError extends Error {
  override readonly name = 'ManifestsError';
}

/**
 * Puts sidecars into the pods and pod templates of YAML or JSON documents. All other documents, and those that have everything,
 * come out byte for byte.
 * @throws ManifestsError
 */
export function injectManifests(text: string, options: ManifestOptions): InjectedManifests {
  const outcomes: ManifestOutcome[] = [];
  const parts = splitDocuments(text).map((part, position) => {
    try {
      return part.marker + injectDocument(part, options, outcomes);
    } catch (error) {
      if (!(error instanceof DocumentError)) throw error;
      throw new ManifestsError(`document ${position + 1}: ${error.message}`, { cause: error });
    }
  });
  return { text: parts.join(''), outcomes };
}

function injectDocument(
  { text, linesBefore }: TextPart,
  options: ManifestOptions,
  outcomes: ManifestOutcome[],
): string {
  // Most documents of an installation have no pods, and the largest are definitions of resources.
  if (!text.includes('containers')) return text;
  const document = parseManifest(text, linesBefore);
  const patch = podPlaces(document.value).flatMap((place) => {
    const { patch, ...outcome } = injectPlace(document.value, place, options);
    outcomes.push(outcome);
    return patch;
  });
  return patch.length === 0 ? text : document.patched(patch);
}

function injectPlace(
  object: unknown,
  { path, kind, name, namespace: written }: PodPlace,
  { store: storeText, namespace: byDefault, settings }: ManifestOptions,
): ManifestOutcome & { readonly patch: readonly PatchOperation[] } {
  const named = `${kind} ${name}`;
  const namespace = written ?? byDefault ?? parseStoreName(storeText, '')?.namespace;
  if (namespace === undefined || namespace === '')
    throw new DocumentError(
      `${named} has no namespace: give --namespace NAMESPACE, or the store as STORE.NAMESPACE`,
    );
  const pod = podAt(object, path);
  const outcome = { object: `${kind} ${namespace}/${name}`, patch: [], warnings: [] };
  const store = storeOf(pod, namespace, storeText, named);
  if (typeof store === 'string') return { ...outcome, kind: 'skipped', message: store };

  const placed = { spec: pod.spec, metadata: { ...(pod.metadata as object), namespace } };
  const result = injectSidecar(placed, store, settings);
  if (result.kind === 'skipped') return { ...outcome, kind: 'skipped', message: result.message };
  const found =
    sidecarOf(pod) === undefined
      ? ({ kind: 'injected', message: `${store.name}.${store.namespace}` } as const)
      : ({ kind: 'present', message: 'it has a sidecar already' } as const);
  return { ...outcome, ...found, warnings: warningsOf(pod), patch: inDocument(pod, path, result.patch) };
}

/** The store by the label of the pod, or else the given one; a text: there is none, and why. @throws DocumentError */
function storeOf(pod: RawPod, namespace: string, storeText: string, named: string): StoreName | string {
  const given = { labels: { [INJECT_LABEL]: 'true' }, annotations: { [STORE_ANNOTATION]: storeText } };
  const selection = selectStore(given, { ...(pod.metadata as Labelled), namespace });
  switch (selection.kind) {
    case 'store':
      return selection;
    case 'optedOut':
      return `no sidecar: it has the label ${INJECT_LABEL}: "false"`;
    case 'none':
      return 'no sidecar: pods of kube-system, and pods of a store, get none';
    case 'invalid':
      throw new DocumentError(`${named}: ${selection.message}`);
  }
}

function podAt(object: unknown, path: PodPlace['path']): RawPod {
  return at(object, ...path.map(String)) as RawPod;
}

/** The patch of a pod as one of the whole document, where a template may have no metadata. */
function inDocument(
  { metadata }: RawPod,
  path: PodPlace['path'],
  patch: readonly PatchOperation[],
): readonly PatchOperation[] {
  if (patch.length === 0) return [];
  const hasMetadata = typeof metadata === 'object' && metadata !== null;
  const first: readonly PatchOperation[] = hasMetadata ? [] : [{ op: 'add', path: '/metadata', value: {} }];
  return [...first, ...patch].map((each) => ({ ...each, path: pointer(...path) + each.path }));
}
