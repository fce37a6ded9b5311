import type { Payload } from '@temporalio/common';

/** Entries of field 3 of temporal.api.common.v1.Payload. Older SDKs do not declare it, and leave it out on the wire. */
export interface ExternalPayloadDetails {
  /** int64: protobufjs writes numbers, and reads Long. */
  readonly sizeBytes?: number | { toString(): string } | null;
}

interface WithExternalPayloads {
  readonly externalPayloads?: readonly ExternalPayloadDetails[] | null;
}

/** The payload with one more entry that tells Temporal how many bytes it stands for, which its statistics count. */
export function externalSizeAdded(payload: Payload, sizeBytes: number): Payload {
  return withDetails(payload, [...detailsOf(payload), { sizeBytes }]);
}

/** The payload without the last entry, if that is what {@link externalSizeAdded} added; other codecs add none. */
export function externalSizeRemoved(payload: Payload, sizeBytes: number): Payload {
  const details = detailsOf(payload);
  if (String(details.at(-1)?.sizeBytes ?? '') !== String(sizeBytes)) return payload;
  return withDetails(payload, details.slice(0, -1));
}

export function detailsOf(payload: Payload): readonly ExternalPayloadDetails[] {
  return (payload as WithExternalPayloads).externalPayloads ?? [];
}

function withDetails(payload: Payload, details: readonly ExternalPayloadDetails[]): Payload {
  const { externalPayloads: _, ...rest } = payload as Payload & WithExternalPayloads;
  return (details.length === 0 ? rest : { ...rest, externalPayloads: details }) as Payload;
}
