import { type BlobKey, formatKey, NAMESPACE, readKey } from './key.ts';

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

/** Payloads without metadata, `NAMESPACE/HEX.bin`, which the wire protocol reserves. */
const RAW_PAYLOAD = /^[0-9a-f]{1,128}\.bin$/;

/**
 * Whether the object is a payload of exactly this window. Nothing else may be deleted with it, whatever a storage lists.
 * @param folder `expires-20261224T000000Z-30d/`
 */
export function isPayloadOf(folder: string, name: string): boolean {
  if (!name.startsWith(folder)) return false;
  if (readKey(`/${name}`)?.window !== undefined) return true;
  const [namespace = '', file = '', ...more] = name.slice(folder.length).split('/');
  return NAMESPACE.test(namespace) && RAW_PAYLOAD.test(file) && more.length === 0;
}
