import type { Payload } from '@temporalio/common';

/**
 * Bytes that the payload takes as a protobuf message, as DataDog's codec measures it for its threshold: fields
 * `metadata` = 1, `data` = 2 and `external_payloads` = 3 of temporal.api.common.v1.Payload. Empty data counts nothing,
 * as proto3 leaves default values out. All field numbers are below 16, so every tag is one byte.
 */
export function protoSize(payload: Payload): number {
  let size = 0;
  for (const [key, value] of Object.entries(payload.metadata ?? {})) {
    const entry = delimitedSize(Buffer.byteLength(key, 'utf8')) + delimitedSize(value.byteLength);
    size += delimitedSize(entry);
  }
  const dataBytes = payload.data?.byteLength ?? 0;
  if (dataBytes > 0) size += delimitedSize(dataBytes);
  for (const details of externalPayloadsOf(payload)) size += delimitedSize(detailsSize(details.sizeBytes));
  return size;
}

/** The part of `ExternalPayloadDetails` that is measured. SDKs before the field existed do not declare it. */
interface ExternalPayloadDetails {
  readonly sizeBytes?: { toString(): string } | null;
}

function externalPayloadsOf(payload: Payload): readonly ExternalPayloadDetails[] {
  return (payload as { externalPayloads?: readonly ExternalPayloadDetails[] | null }).externalPayloads ?? [];
}

function detailsSize(sizeBytes: ExternalPayloadDetails['sizeBytes']): number {
  const value = BigInt.asUintN(64, BigInt(sizeBytes?.toString() ?? '0'));
  return value === 0n ? 0 : 1 + varintSize(value);
}

/** Bytes of a length-delimited field: tag, length, content. */
function delimitedSize(contentBytes: number): number {
  return 1 + varintSize(BigInt(contentBytes)) + contentBytes;
}

/** A varint carries seven bits in each byte, and zero takes one byte. */
function varintSize(value: bigint): number {
  let size = 1;
  for (let rest = value >> 7n; rest > 0n; rest >>= 7n) size += 1;
  return size;
}
