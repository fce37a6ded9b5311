import type { Payload } from '@temporalio/common';
import { isDigest } from './digest.ts';
import { PayloadMetadataError, PayloadReferenceError } from './errors.ts';
import { goJsonString } from './go-json.ts';
import { metadataFromJson, metadataToJson, type PayloadMetadata } from './metadata.ts';

/** Metadata key that marks a payload as a reference; its value is the version. Defined by DataDog's codec. */
export const referenceMarker = 'temporal.io/remote-codec';

const referenceEncoding = 'json/plain';

/**
 * Bytes of a reference. Its metadata was sent in a header, of at most 1 MiB as base64 to any service, so that no reference
 * is larger; one that is would be parsed into many times its size.
 */
const largestReference = 1024 * 1024;

/** A reference as it is written today. */
export interface BlobReferenceV2 {
  readonly version: 'v2';
  /** Metadata of the original payload. */
  readonly metadata: PayloadMetadata;
  /** Bytes of the original payload's data. */
  readonly size: number;
  /** Digest of the original payload's data, `sha256:` and hex. */
  readonly digest: string;
  /** Where the data is, e.g. `/blobs/orders/common/sha256:…/sha256:…`. */
  readonly key: string;
}

/** A reference of the first version: the data is found by its digest. Read, never written. */
export interface BlobReferenceV1 extends Omit<BlobReferenceV2, 'version' | 'key'> {
  readonly version: 'v1';
}

export type BlobReference = BlobReferenceV1 | BlobReferenceV2;

/** Whether the payload bears the marker, whatever its version and whether or not the reference is well formed. */
export function isReference(payload: Payload): boolean {
  return Object.hasOwn(payload.metadata ?? {}, referenceMarker);
}

/** The payload that stands in for the original, byte for byte as DataDog's Go codec writes it. */
export function encodeReference(reference: BlobReferenceV2): Payload {
  const { metadata, size, digest, key } = reference;
  const json = `{"metadata":${metadataToJson(metadata)},"size":${size},"digest":${goJsonString(digest)},"key":${goJsonString(key)}}`;
  return {
    metadata: { encoding: utf8(referenceEncoding), [referenceMarker]: utf8(reference.version) },
    data: utf8(json),
  };
}

/**
 * The reference that a marked payload holds. Its content comes from a workflow history and is not trusted; fields
 * that are not known are ignored.
 * @throws PayloadReferenceError when the version is unknown or any field is missing or malformed.
 */
export function decodeReference(payload: Payload): BlobReference {
  const version = markerOf(payload);
  const fields = fieldsOf(payload);
  const metadata = metadataOf(fields);
  const { size, digest, key } = fields;
  if (typeof size !== 'number' || !Number.isSafeInteger(size) || size < 0) {
    throw malformed('size is not a whole number of bytes');
  }
  if (typeof digest !== 'string' || !isDigest(digest)) {
    throw malformed('digest is not sha256: and 64 hex digits');
  }
  if (version === 'v1') return { version, metadata, size, digest };
  if (typeof key !== 'string' || key === '') {
    throw malformed('no key');
  }
  return { version, metadata, size, digest, key };
}

function markerOf(payload: Payload): 'v1' | 'v2' {
  const marker = isReference(payload) ? textOf(payload.metadata?.[referenceMarker]) : undefined;
  if (marker === 'v1' || marker === 'v2') return marker;
  throw new PayloadReferenceError(
    marker === undefined
      ? 'not a payload reference'
      : 'payload reference of an unknown version: is this codec older than the one that wrote it?',
  );
}

function fieldsOf(payload: Payload): Record<string, unknown> {
  if (textOf(payload.metadata?.encoding) !== referenceEncoding) {
    throw malformed(`encoding is not ${referenceEncoding}`);
  }
  if ((payload.data?.byteLength ?? 0) > largestReference) {
    throw malformed('it has more than 1 MiB');
  }
  let parsed: unknown;
  try {
    parsed = JSON.parse(textOf(payload.data));
  } catch (cause) {
    throw malformed('not JSON', cause);
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) {
    throw malformed('not a JSON object');
  }
  return parsed as Record<string, unknown>;
}

function metadataOf(fields: Record<string, unknown>): PayloadMetadata {
  try {
    return metadataFromJson(fields.metadata);
  } catch (cause) {
    const reason = cause instanceof PayloadMetadataError ? cause.reason : 'unreadable';
    throw malformed(`metadata: ${reason}`, cause);
  }
}

function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function textOf(bytes: Uint8Array | null | undefined): string {
  return new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes ?? new Uint8Array());
}

function malformed(problem: string, cause?: unknown): PayloadReferenceError {
  return new PayloadReferenceError(`malformed payload reference: ${problem}`, { cause });
}
