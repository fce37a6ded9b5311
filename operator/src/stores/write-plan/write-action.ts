import type { KubernetesObject } from '../../kubernetes/api.ts';
import type { DesiredObject } from '../desired-objects.ts';
import type { ObservedObject, Refusal } from '../observed.ts';

/** One request to the API server. */
export type WriteAction =
  /** reads the object that has the name of a desired object */
  | { readonly kind: 'look'; readonly desired: DesiredObject }
  /** `force` takes over fields that other field managers own */
  | { readonly kind: 'apply'; readonly desired: DesiredObject; readonly force: boolean }
  | { readonly kind: 'replace-ports'; readonly desired: DesiredObject; readonly patch: KubernetesObject }
  | { readonly kind: 'delete'; readonly object: ObservedObject };

/** The outcome of an action. */
export type WriteOutcome =
  /** of a look; `undefined`: there is no object of that name */
  | { readonly kind: 'found'; readonly object: ObservedObject | undefined }
  | { readonly kind: 'applied'; readonly object: ObservedObject }
  | { readonly kind: 'patched' }
  | { readonly kind: 'deleted' }
  /** the API server understood and will not, with this HTTP status */
  | { readonly kind: 'refused'; readonly status: number; readonly refusal: Refusal }
  /** the API server could not answer */
  | { readonly kind: 'failed'; readonly refusal: Refusal };

/** The object that the action is about. */
export function objectOf(action: WriteAction): ObservedObject | DesiredObject {
  return action.kind === 'delete' ? action.object : action.desired;
}
