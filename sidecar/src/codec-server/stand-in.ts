import type { BlobReference, PayloadStoreError } from '@largepayload/codec';
import { type JsonPayload, jsonPayload, type Payload } from './payloads-json.ts';

/** What a preview shows of a payload's beginning, in bytes. */
export const BEGINNING_BYTES = 1024;

const LONGEST_ENCODING = 100;
/** No stand-in is longer: a beginning of control characters takes six bytes for each. */
const LONGEST_STAND_IN = 64 * 1024;

/** What was read of a payload. */
export interface Beginning {
  /** at most BEGINNING_BYTES */
  readonly bytes: Buffer;
  /** whether the whole payload was read and its digest is right */
  readonly verified: boolean;
}

/** The payload that is shown in place of one that is too large to be shown. */
export function previewOf(reference: BlobReference, { bytes, verified }: Beginning): JsonPayload {
  const { size, digest, metadata } = reference;
  const encoding = Buffer.from(metadata.get('encoding') ?? [])
    .subarray(0, LONGEST_ENCODING)
    .toString();
  return standIn({
    largePayload: {
      size,
      ...(encoding !== '' && { encoding }),
      ...shown(bytes),
      verified,
      ...fetchCommand(reference),
      digest,
      ...(reference.version === 'v2' && { key: reference.key }),
    },
  });
}

/** The payload that is shown in place of one that cannot be read: what is wrong, in words. */
export function failureOf(error: PayloadStoreError, key: string | undefined): JsonPayload {
  const { name, message, retryable } = error;
  return standIn({ largePayloadError: { name, message, ...(key !== undefined && { key }), retryable } });
}

/** Whether a payload is one that the functions above made: something to look at, never to be stored or worked with. */
export function isStandIn({ metadata, data }: Payload): boolean {
  if (data === undefined || data === null || data.byteLength > LONGEST_STAND_IN) return false;
  if (Buffer.from(metadata?.encoding ?? []).toString() !== 'json/plain') return false;
  const text = Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString();
  if (!text.includes('"largePayload')) return false;
  try {
    const { largePayload, largePayloadError, ...others } = JSON.parse(text);
    if (Object.keys(others).length > 0) return false;
    return typeof largePayload?.digest === 'string' || typeof largePayloadError?.message === 'string';
  } catch {
    return false;
  }
}

function standIn(content: object): JsonPayload {
  return jsonPayload([['encoding', Buffer.from('json/plain')]], Buffer.from(JSON.stringify(content)));
}

function shown(bytes: Buffer): { preview?: string; previewBase64?: string } {
  if (bytes.length === 0) return {};
  const text = textOf(bytes);
  return text === undefined ? { previewBase64: bytes.toString('base64') } : { preview: text };
}

/** The bytes as text, without a character that the end cuts in two; `undefined` when they are not text. */
function textOf(bytes: Buffer): string | undefined {
  try {
    const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
    const text = decoder.decode(bytes, { stream: true });
    return /[^\P{Cc}\t\n\r]/u.test(text) ? undefined : text;
  } catch {
    return undefined;
  }
}

/**
 * For a shell. In base64, since a Web UI shows quotes as JSON escapes them, and since whoever can start a workflow can
 * write a key.
 */
function fetchCommand(reference: BlobReference): { fetch?: string } {
  if (reference.version !== 'v2') return {};
  const { size, digest, key } = reference;
  const json = Buffer.from(JSON.stringify({ size, digest, key })).toString('base64');
  return { fetch: `echo ${json} | base64 -d | payload-store get - --output payload` };
}
