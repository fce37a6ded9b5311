import { isUtf8 } from 'node:buffer';
import type { LargePayloadCodec } from '@largepayload/codec';
import { ServiceError } from '../errors/service-error.ts';
import { isWithinBounds, type JsonBounds } from '../http/bounded-json.ts';

/** Payloads nest five levels deep; items are a thousand payloads with many times the metadata that is in use. */
const BODY_BOUNDS: JsonBounds = { depth: 32, items: 100_000 };

/** A payload as Temporal's SDKs have it in memory. */
export type Payload = Parameters<LargePayloadCodec['encode']>[0][number];

/** temporal.api.common.v1.Payload as protojson writes it: bytes are base64. Fields not known here stay with it. */
export interface JsonPayload {
  readonly metadata?: Readonly<Record<string, string>> | null;
  readonly data?: string | null;
  readonly externalPayloads?: readonly JsonExternalPayload[] | null;
}

interface JsonExternalPayload {
  /** int64, which protojson writes as a string */
  readonly sizeBytes?: string | number;
}

/**
 * The payloads of a body `{"payloads":[…]}`. Base64 is not looked at yet: most payloads only pass through.
 * @throws ServiceError `invalid_payloads`, `payload_too_large`
 */
export function parsePayloads(body: Buffer, maximumCount: number): readonly JsonPayload[] {
  const parsed = parseBody(body);
  const payloads = isObject(parsed) ? (parsed.payloads ?? []) : undefined;
  if (!Array.isArray(payloads)) throw invalid('the body must be {"payloads":[…]}');
  if (payloads.length > maximumCount) {
    throw new ServiceError(
      'payload_too_large',
      `a call may hold ${maximumCount} payloads, not ${payloads.length}`,
    );
  }
  payloads.forEach(assertPayload);
  return payloads;
}

function parseBody(bytes: Buffer): unknown {
  if (!isUtf8(bytes)) throw invalid('the body is not UTF-8');
  if (!isWithinBounds(bytes, BODY_BOUNDS)) {
    throw invalid('the body nests deeper, or has more parts, than payloads do');
  }
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    // What JSON.parse says quotes the text, which is somebody's payload.
    throw invalid('the body is not JSON');
  }
}

/** @throws ServiceError `invalid_payloads` when something is not base64 */
export function payloadOfJson({ metadata, data, externalPayloads }: JsonPayload): Payload {
  const entries = Object.entries(metadata ?? {});
  return {
    // fromEntries defines properties instead of assigning them, so `__proto__` stays data.
    metadata: Object.fromEntries(entries.map(([key, value]) => [key, bytesOfBase64(value)])),
    data: bytesOfBase64(data ?? ''),
    // The codec reads sizes by their digits, whatever stands for an int64.
    ...((externalPayloads && { externalPayloads }) as object),
  };
}

/** Metadata and data are always there: Temporal's Web UI tells a payload by them. */
export function jsonPayload(
  metadata: Iterable<readonly [string, Uint8Array]>,
  data: Uint8Array,
): { metadata: Record<string, string>; data: string } {
  return {
    metadata: Object.fromEntries([...metadata].map(([key, value]) => [key, base64Of(value)])),
    data: base64Of(data),
  };
}

function assertPayload(payload: unknown, index: number): asserts payload is JsonPayload {
  const at = `payloads[${index}]`;
  if (!isObject(payload)) throw invalid(`${at} must be an object`);
  const { metadata, data, externalPayloads } = payload;
  if (!isAbsent(metadata) && !(isObject(metadata) && Object.values(metadata).every(isString))) {
    throw invalid(`${at}.metadata must be an object of base64 strings`);
  }
  if (!isAbsent(data) && !isString(data)) throw invalid(`${at}.data must be a base64 string`);
  if (!isAbsent(externalPayloads) && !isExternalPayloads(externalPayloads)) {
    throw invalid(`${at}.externalPayloads must be objects with whole numbers "sizeBytes"`);
  }
}

function isExternalPayloads(value: unknown): boolean {
  return (
    Array.isArray(value) &&
    value.every((entry) => isObject(entry) && /^-?[0-9]{1,19}$/.test(String(entry.sizeBytes ?? 0)))
  );
}

/** As protojson, takes both alphabets, padded or not. */
function bytesOfBase64(text: string): Buffer {
  const unpadded = text.length - (/={1,2}$/.exec(text.slice(-2))?.[0].length ?? 0);
  if (unpadded % 4 === 1 || !/^[A-Za-z0-9+/_-]*={0,2}$/.test(text)) throw invalid('a value is not base64');
  return Buffer.from(text, 'base64');
}

function base64Of(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64');
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isAbsent(value: unknown): value is undefined | null {
  return value === undefined || value === null;
}

function isString(value: unknown): value is string {
  return typeof value === 'string';
}

function invalid(message: string): ServiceError {
  return new ServiceError('invalid_payloads', message);
}
