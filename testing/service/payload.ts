import { createHash } from 'node:crypto';
import { encodeMetadataHeader, metadataFromRecord } from '@largepayload/codec';

/** A payload, and the requests of a correct client that put and get it. Tests alter parts of them. */
export interface TestPayload {
  readonly bytes: Buffer;
  readonly digest: string;
  readonly putPath: string;
  readonly putHeaders: Readonly<Record<string, string>>;
  readonly getHeaders: Readonly<Record<string, string>>;
}

export const OCTETS = 'application/octet-stream';

/** The metadata of `JSONPlainPayloadConverter`. */
export const METADATA_HEADER = metadataHeader({ encoding: 'json/plain' });

export function testPayload(content: Buffer | string, namespace = 'orders'): TestPayload {
  const bytes = Buffer.from(content);
  const digest = digestOf(bytes);
  return {
    bytes,
    digest,
    putPath: putPath(namespace, digest),
    putHeaders: {
      'Content-Type': OCTETS,
      'Content-Length': String(bytes.length),
      'X-Temporal-Metadata': METADATA_HEADER,
    },
    getHeaders: getHeaders(bytes.length),
  };
}

export function digestOf(bytes: Buffer): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}

export function putPath(namespace: string, digest: string): string {
  return `/v2/blobs/put?${new URLSearchParams({ namespace, digest })}`;
}

export function getPath(key: string): string {
  return `/v2/blobs/get?key=${encodeURIComponent(key)}`;
}

export function getHeaders(size: number): Record<string, string> {
  return { 'Content-Type': OCTETS, 'X-Payload-Expected-Content-Length': String(size) };
}

export function metadataHeader(record: Readonly<Record<string, string>>): string {
  const entries = Object.entries(record).map(([key, value]) => [key, Buffer.from(value)] as const);
  return encodeMetadataHeader(metadataFromRecord(Object.fromEntries(entries)));
}

/** Bytes that are the same for the same seed, that do not repeat soon, and cost little to make. */
export function generatedBytes(size: number, seed = 1): Buffer {
  const bytes = Buffer.allocUnsafe(size);
  let state = seed >>> 0 || 1;
  for (let at = 0; at < size; at += 1) {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    bytes[at] = state >>> 24;
  }
  return bytes;
}
