import type { ResourceKind, Selection } from './api.ts';

/** In server-side apply, owner of the fields that the operator sets. */
export const FIELD_MANAGER = 'large-payload-operator';

type Query = Readonly<Record<string, string | number | undefined>>;

/** Path of a collection, of an object in it, or of a part of the object. */
export function resourcePath(
  { group, version, plural }: ResourceKind,
  namespace: string | undefined,
  ...rest: readonly string[]
): string {
  const root = group === '' ? ['api', version] : ['apis', group, version];
  const scope = namespace ? ['namespaces', namespace] : [];
  return `/${[...root, ...scope, plural, ...rest].map(encodeURIComponent).join('/')}`;
}

export function withQuery(path: string, query: Query): string {
  const parameters = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') parameters.set(name, String(value));
  }
  return parameters.size === 0 ? path : `${path}?${parameters}`;
}

export function selectionPath(selection: Selection, query: Query): string {
  const { resource, namespace, labelSelector, fieldSelector } = selection;
  return withQuery(resourcePath(resource, namespace), { labelSelector, fieldSelector, ...query });
}

/** The `Accept` header: for objects, or for their metadata where that is enough. */
export function accepted(selection: Selection, of: 'List' | ''): string {
  if (!selection.metadataOnly) return 'application/json';
  return `application/json;as=PartialObjectMetadata${of};g=meta.k8s.io;v=v1,application/json`;
}
