import { textAt } from '@largepayload/crds';
import { MANAGED_BY } from '../stores/labels.ts';
import { INJECT_LABEL, STORE_ANNOTATION } from './names.ts';

type Texts = Readonly<Record<string, string>>;

export interface Labelled {
  readonly labels?: Texts | undefined;
  readonly annotations?: Texts | undefined;
}

export interface LabelledPod extends Labelled {
  readonly namespace: string;
}

export interface StoreName {
  readonly name: string;
  readonly namespace: string;
}

/** Which store a pod asks for. `none`: it is not in scope. `invalid`: a label that names no store, with a message for people. */
export type StoreSelection =
  | { readonly kind: 'none' }
  | { readonly kind: 'optedOut' }
  | { readonly kind: 'invalid'; readonly message: string }
  | ({ readonly kind: 'store' } & StoreName);

/** In no namespace of these is a pod ever in scope, whatever its labels. The operator's own namespace comes to them. */
export const EXCLUDED_NAMESPACES: readonly string[] = ['kube-system'];

const NONE: StoreSelection = { kind: 'none' };

/**
 * The store by the label of the pod, or else by that of its namespace.
 * @param operatorNamespace where no pod is in scope; `undefined` outside a cluster
 */
export function selectStore(
  namespace: Labelled,
  pod: LabelledPod,
  operatorNamespace?: string,
): StoreSelection {
  if (EXCLUDED_NAMESPACES.includes(pod.namespace) || pod.namespace === operatorNamespace) return NONE;
  if (isOwnPod(pod)) return NONE;
  return selectionBy('pod', pod, pod.namespace) ?? selectionBy('namespace', namespace, pod.namespace) ?? NONE;
}

/** Whether a pod is one of a store, as the operator makes them. */
export function isOwnPod(metadata: unknown): boolean {
  return textAt(metadata, 'labels', 'app.kubernetes.io/managed-by') === MANAGED_BY;
}

function selectionBy(
  what: string,
  { labels, annotations }: Labelled,
  ownNamespace: string,
): StoreSelection | undefined {
  const value = labels?.[INJECT_LABEL];
  if (value === undefined) return undefined;
  if (value === 'false') return { kind: 'optedOut' };
  if (value !== 'true') return storeNamed(value, `label ${INJECT_LABEL} of the ${what}`, ownNamespace);
  const name = annotations?.[STORE_ANNOTATION];
  if (name !== undefined)
    return storeNamed(name, `annotation ${STORE_ANNOTATION} of the ${what}`, ownNamespace);
  const message = `the ${what} has the label ${INJECT_LABEL}: "true" and no annotation ${STORE_ANNOTATION}: add it with STORE or STORE.NAMESPACE, or write the store as the label`;
  return { kind: 'invalid', message };
}

function storeNamed(text: string, source: string, ownNamespace: string): StoreSelection {
  const store = parseStoreName(text, ownNamespace);
  if (store !== undefined) return { kind: 'store', ...store };
  const shown = JSON.stringify(text.length > 60 ? `${text.slice(0, 60)}…` : text);
  return { kind: 'invalid', message: `${source}: ${shown} names no store: write STORE or STORE.NAMESPACE` };
}

const NAMESPACE = '[a-z0-9](?:[-a-z0-9]{0,61}[a-z0-9])?';
/** As the CRD has it for the names of stores. */
const STORE_NAME = new RegExp(`^([a-z](?:[-a-z0-9]{0,38}[a-z0-9])?)(?:[.](${NAMESPACE}))?$`);

/** Reads STORE or STORE.NAMESPACE. @param ownNamespace that of the pod, which a store without namespace is in */
export function parseStoreName(text: string, ownNamespace: string): StoreName | undefined {
  const [, name, namespace = ownNamespace] = STORE_NAME.exec(text) ?? [];
  return name === undefined || name === 'false' ? undefined : { name, namespace };
}
