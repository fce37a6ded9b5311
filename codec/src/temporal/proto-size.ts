import type { Payload } from '@temporalio/common';
import { detailsOf, type ExternalPayloadDetails } from './external-size.ts';

/** The eighth bit is set when another byte follows. */
const bitsOfVarintByte = 7;

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
  for (const details of detailsOf(payload)) size += delimitedSize(detailsSize(details.sizeBytes));
  return size;
}

/** Whether the payload takes more than so many bytes, which is mostly decided by its data alone. */
export function isLargerThan(payload: Payload, bytes: number): boolean {
  return (payload.data?.byteLength ?? 0) > bytes || protoSize(payload) > bytes;
}

function detailsSize(sizeBytes: ExternalPayloadDetails['sizeBytes']): number {
  const value = BigInt.asUintN(64, BigInt(sizeBytes?.toString() ?? '0'));
  if (value === 0n) return 0;
  const bits = value.toString(2).length;
  return 1 + Math.ceil(bits / bitsOfVarintByte);
}

/** Bytes of a length-delimited field: tag, length, content. */
function delimitedSize(contentBytes: number): number {
  let lengthBytes = 1;
  for (let rest = contentBytes; rest >= 2 ** bitsOfVarintByte; rest /= 2 ** bitsOfVarintByte)
    lengthBytes += 1;
  return 1 + lengthBytes + contentBytes;
}
