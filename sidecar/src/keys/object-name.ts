import { type BlobKey, formatKey } from './key.ts';

/**
 * The names under which a key's object may lie, the one that is written first. A key without a window keeps its leading
 * slash, as DataDog's service writes it; buckets filled through tools that drop it are read all the same.
 */
export function objectNames(key: BlobKey): readonly [string, ...string[]] {
  const slashed = formatKey(key);
  const bare = slashed.slice(1);
  return key.window === undefined ? [slashed, bare] : [bare];
}

/** The name of an object written through version 1 of the wire API. */
export function versionOneObjectName(digest: string): string {
  return `blobs/${digest}`;
}
