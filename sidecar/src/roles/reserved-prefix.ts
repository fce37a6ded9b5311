import { isReservedPrefix, type LargePayloadStore, prefixOf } from '@largepayload/crds';

/**
 * Why no store is begun with such a prefix, and nothing is deleted from a store that version 0.1 began with it; `undefined`: the
 * prefix is allowed. A store with a shorter prefix of the bucket would take the place for a window, or payloads, of its own.
 */
export function reservedPrefix({ spec }: LargePayloadStore): string | undefined {
  const prefix = prefixOf(spec);
  if (!isReservedPrefix(prefix)) return undefined;
  return `the prefix ${JSON.stringify(prefix)} has a segment that stores keep for themselves (blobs, expires-…, . or ..)`;
}
