import { at, textAt } from '@largepayload/crds';
import { SIDECAR_CONTAINER } from './names.ts';

/** A pod as JSON. A field of another type than Kubernetes has counts as missing. */
export interface RawPod {
  readonly metadata?: unknown;
  readonly spec?: unknown;
}

/** One step of a JSON patch (RFC 6902). */
export interface PatchOperation {
  readonly op: 'add';
  /** a JSON pointer (RFC 6901) */
  readonly path: string;
  readonly value: unknown;
}

export const CONTAINER_LISTS = ['containers', 'initContainers'] as const;

/** The items of a list in a pod's spec, all of them, so that their positions are those of the list. */
export function itemsOf(pod: RawPod, list: string): readonly unknown[] {
  const found = at(pod.spec, list);
  return Array.isArray(found) ? found : [];
}

export function hasItem(pod: RawPod, list: string, name: string): boolean {
  return itemsOf(pod, list).some((item) => textAt(item, 'name') === name);
}

/** The container of our name among the init containers, injected or written by hand. */
export function sidecarOf(pod: RawPod): unknown {
  return itemsOf(pod, 'initContainers').find((container) => textAt(container, 'name') === SIDECAR_CONTAINER);
}

/** A JSON pointer: `~` and `/` are escaped in each part. */
export function pointer(...parts: readonly (string | number)[]): string {
  return parts.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
