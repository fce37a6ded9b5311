import { at } from '@largepayload/crds';

/** UTF-16 units; the longest name of a store with its namespace has 104 */
const LONGEST_KEPT = 253;

/**
 * A label or annotation that selects a store, as it is kept of each pod and namespace; an empty one is not the same as none. Of a long
 * annotation, which may have 256 KiB, the beginning is kept: it names no store either.
 */
export function keptText(
  metadata: unknown,
  field: 'labels' | 'annotations',
  key: string,
): string | undefined {
  const value = at(metadata, field, key);
  if (typeof value !== 'string') return undefined;
  // A copy: a slice keeps the whole text in memory.
  return value.length > LONGEST_KEPT ? Buffer.from(value.slice(0, LONGEST_KEPT)).toString() : value;
}
