import type { IncomingHttpHeaders } from 'node:http';
import { decodeMetadataHeader } from '@largepayload/codec/wire/metadata';
import { ServiceError } from '../errors/service-error.ts';
import { isWithinBounds, type JsonBounds } from '../http/bounded-json.ts';
import { parseDigest, parseKeyPrefix, parseNamespace, parseWorkflowId } from '../keys/key.ts';
import type { PutRequest } from '../payload-service/payload-service.ts';

export type Query = Readonly<Record<string, unknown>>;

export type PutFields = Pick<PutRequest, 'namespace' | 'facts' | 'metadata' | 'keyPrefix' | 'workflowId'>;

const KEY_PREFIX_METADATA = 'remote-codec/key-prefix';

/** One object of base64 strings. Payloads have a handful of entries; each costs time to parse, decode, sort and hash. */
const METADATA_BOUNDS: JsonBounds = { depth: 1, items: 256 };

/** The parts of a PUT's head, each checked by its grammar. @throws ServiceError of status 400, 411 or 413 */
export function putFields(headers: IncomingHttpHeaders, query: Query, maxPayloadSize: number): PutFields {
  assertContentType(headers);
  const size = contentLength(headers, maxPayloadSize);
  const namespace = parseNamespace(single(query.namespace));
  const digest = parseDigest(single(query.digest));
  const metadata = metadataOf(headers);
  const keyPrefix = keyPrefixOf(metadata);
  const workflowId = keyPrefix === undefined ? workflowIdOf(headers) : undefined;
  return { namespace, facts: { size, digest }, metadata, keyPrefix, workflowId };
}

/** The size in bytes that the reference of a GET promises. @throws ServiceError `invalid_content_type`, `invalid_expected_length` */
export function expectedLengthOf(headers: IncomingHttpHeaders): number {
  assertContentType(headers);
  const text = headers['x-payload-expected-content-length'];
  if (typeof text === 'string' && /^[0-9]{1,15}$/.test(text)) return Number(text);
  throw new ServiceError(
    'invalid_expected_length',
    'X-Payload-Expected-Content-Length must be the size in the reference, in bytes',
  );
}

/** The key of a GET. DataDog's service unescapes it a second time, so a client may have escaped it twice; no key has a "%". */
export function keyParameter(query: Query): string {
  const text = single(query.key) ?? '';
  try {
    return text.includes('%') ? decodeURIComponent(text) : text;
  } catch {
    return text;
  }
}

/** A query parameter that is given exactly once. */
export function single(value: unknown): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function assertContentType(headers: IncomingHttpHeaders): void {
  if (headers['content-type']?.toLowerCase() === 'application/octet-stream') return;
  throw new ServiceError('invalid_content_type', 'Content-Type must be application/octet-stream');
}

function contentLength(headers: IncomingHttpHeaders, maxPayloadSize: number): number {
  const text = headers['content-length'];
  if (text === undefined) {
    throw new ServiceError('length_required', 'Content-Length is required; chunked bodies are not accepted');
  }
  const size = Number(text);
  if (!/^[0-9]+$/.test(text) || !Number.isSafeInteger(size)) {
    throw new ServiceError('invalid_content_length', 'Content-Length must be a number of bytes');
  }
  if (size > maxPayloadSize) {
    throw new ServiceError(
      'payload_too_large',
      `the payload has ${size} bytes; this store takes at most ${maxPayloadSize} (spec.maxPayloadSize)`,
    );
  }
  return size;
}

function metadataOf(headers: IncomingHttpHeaders): ReadonlyMap<string, Uint8Array> {
  const header = headers['x-temporal-metadata'];
  try {
    if (typeof header !== 'string' || header === '') throw new Error('it is missing');
    if (!isWithinBounds(Buffer.from(header, 'base64'), METADATA_BOUNDS)) {
      throw new Error('it nests, or has more entries');
    }
    return decodeMetadataHeader(header);
  } catch (error) {
    throw new ServiceError(
      'invalid_metadata',
      `X-Temporal-Metadata must be base64 of a JSON object with at most ${METADATA_BOUNDS.items} base64 values: ${(error as Error).message}`,
    );
  }
}

function keyPrefixOf(metadata: ReadonlyMap<string, Uint8Array>): string | undefined {
  const chosen = Buffer.from(metadata.get(KEY_PREFIX_METADATA) ?? []).toString();
  return chosen === '' ? undefined : parseKeyPrefix(chosen);
}

/** It counts only where the metadata asks for no prefix. */
function workflowIdOf(headers: IncomingHttpHeaders): string | undefined {
  const text = headers['x-payload-store-workflow-id'];
  return typeof text === 'string' ? parseWorkflowId(text) : undefined;
}
