import { createHash } from 'node:crypto';
import { PayloadMetadataError } from './errors.ts';
import { goJsonBytesObject } from './go-json.ts';

/** A payload's metadata. A map, not an object: keys come from outside, and `__proto__` is one like any other. */
export type PayloadMetadata = ReadonlyMap<string, Uint8Array>;

/** Metadata as Temporal's payloads hold it. */
export type MetadataRecord = { [key: string]: Uint8Array };

/** The record's own enumerable entries; absent metadata is empty metadata. */
export function metadataFromRecord(record: MetadataRecord | null | undefined): Map<string, Uint8Array> {
  return new Map(Object.entries(record ?? {}));
}

/** A plain object with one own property for each entry. */
export function metadataToRecord(metadata: PayloadMetadata): MetadataRecord {
  // fromEntries defines properties instead of assigning them, so `__proto__` stays data.
  return Object.fromEntries(metadata);
}

/** Bounds of the service: what is more is refused there too. */
const mostEntries = 256;
const mostPrefixSegments = 16;
const keyPrefixEntry = 'remote-codec/key-prefix';

/** Refuses what the service would refuse, before anything is hashed or sent. @throws PayloadMetadataError */
export function assertStorableMetadata(metadata: PayloadMetadata): void {
  if (metadata.size > mostEntries) {
    throw new PayloadMetadataError(
      `${metadata.size} entries, and the service takes at most ${mostEntries}; put some of them into the data`,
    );
  }
  const segments = Buffer.from(metadata.get(keyPrefixEntry) ?? [])
    .toString()
    .split('/', mostPrefixSegments + 1).length;
  if (segments <= mostPrefixSegments) return;
  throw new PayloadMetadataError(
    `${keyPrefixEntry} has more than the ${mostPrefixSegments} segments that the service takes; join some of them`,
  );
}

/**
 * Metadata as JSON: an object of base64 strings with keys in bytewise order, or `null` when empty. This is what Go
 * writes for `map[string][]byte`, and what travels both in references and in `X-Temporal-Metadata`.
 */
export function metadataToJson(metadata: PayloadMetadata): string {
  return metadata.size === 0 ? 'null' : goJsonBytesObject(entriesInByteOrder(metadata));
}

/**
 * Metadata from its parsed JSON: an object of canonical base64 strings; `null` or absent is empty, values too.
 * @throws PayloadMetadataError for anything else.
 */
export function metadataFromJson(value: unknown): Map<string, Uint8Array> {
  if (value === null || value === undefined) return new Map();
  if (typeof value !== 'object' || Array.isArray(value)) {
    throw new PayloadMetadataError('not a JSON object');
  }
  // Go writes a value that is nil as `null`, and reads it back as empty.
  return new Map(Object.entries(value).map(([key, text]) => [key, bytesOfBase64(text ?? '')]));
}

/** The value of `X-Temporal-Metadata`: base64 of {@link metadataToJson}. */
export function encodeMetadataHeader(metadata: PayloadMetadata): string {
  return Buffer.from(metadataToJson(metadata), 'utf8').toString('base64');
}

/**
 * Metadata from the value of `X-Temporal-Metadata`.
 * @throws PayloadMetadataError unless it is canonical base64 of a UTF-8 JSON object of canonical base64 strings, or of
 * `null`.
 */
export function decodeMetadataHeader(header: string): Map<string, Uint8Array> {
  const bytes = Buffer.from(header, 'base64');
  if (bytes.toString('base64') !== header) throw new PayloadMetadataError('not canonical base64');
  let parsed: unknown;
  try {
    parsed = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch (cause) {
    throw new PayloadMetadataError('not JSON in UTF-8', cause);
  }
  return metadataFromJson(parsed);
}

/**
 * The last segment of a key: `sha256:` and hex of SHA-256 over key‖value for all entries, keys in bytewise order of
 * their UTF-8 form. Defined by DataDog's Large Payload Service.
 */
export function metadataHash(metadata: PayloadMetadata): string {
  const hash = createHash('sha256');
  for (const [key, value] of entriesInByteOrder(metadata)) hash.update(key, 'utf8').update(value);
  return `sha256:${hash.digest('hex')}`;
}

/** JavaScript compares UTF-16 units, which puts U+1F600 before U+FB01; Go compares bytes. */
function entriesInByteOrder(metadata: PayloadMetadata): Array<[string, Uint8Array]> {
  return [...metadata]
    .map((entry) => ({ entry, bytes: Buffer.from(entry[0], 'utf8') }))
    .sort((left, right) => Buffer.compare(left.bytes, right.bytes))
    .map(({ entry }) => entry);
}

function bytesOfBase64(text: unknown): Uint8Array {
  if (typeof text !== 'string') throw new PayloadMetadataError('a value is not a string');
  const bytes = Buffer.from(text, 'base64');
  if (bytes.toString('base64') !== text) throw new PayloadMetadataError('a value is not canonical base64');
  return new Uint8Array(bytes);
}
