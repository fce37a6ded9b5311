import { isReservedPrefix, type LargePayloadStore } from '@largepayload/crds';

/**
 * Why a store in such a place is not begun, and nothing is deleted from one that 0.1 began; `undefined`: its prefix is well. A
 * store at a place above would take it for a window, or payloads, of its own.
 */
export function reservedPrefix({ spec: { storage } }: LargePayloadStore): string | undefined {
  const { s3, gcs, azure } = storage;
  const prefix = (s3 ?? gcs ?? azure)?.prefix ?? '';
  if (!isReservedPrefix(prefix)) return undefined;
  return `the prefix ${JSON.stringify(prefix)} has a segment that stores keep for themselves (blobs, expires-…, . or ..)`;
}
