import type { Payload } from '@temporalio/common';

/** Entries of field 3 of temporal.api.common.v1.Payload. Older SDKs do not declare it, and leave it out on the wire. */
export interface ExternalPayloadDetails {
  /** int64: protobufjs writes numbers, and reads Long. */
  readonly sizeBytes?: number | { toString(): string } | null;
}

/** A payload in memory, or as protojson has it. */
interface WithExternalPayloads {
  readonly externalPayloads?: readonly ExternalPayloadDetails[] | null;
}

/** The payload with one more entry that tells Temporal how many bytes it stands for, which its statistics count. */
export function externalSizeAdded(payload: Payload, sizeBytes: number): Payload {
  return withDetails(payload, [...detailsOf(payload), { sizeBytes }]);
}

/** The payload without the last entry, if that is what {@link externalSizeAdded} added; other codecs add none. */
export function externalSizeRemoved<P extends WithExternalPayloads>(payload: P, sizeBytes: number): P {
  const details = detailsOf(payload);
  const isOurs = String(details.at(-1)?.sizeBytes ?? '') === String(sizeBytes);
  return withDetails(payload, isOurs ? details.slice(0, -1) : details);
}

export function detailsOf(payload: WithExternalPayloads): readonly ExternalPayloadDetails[] {
  return payload.externalPayloads ?? [];
}

function withDetails<P extends WithExternalPayloads>(
  payload: P,
  details: readonly ExternalPayloadDetails[],
): P {
  const { externalPayloads: _, ...rest } = payload;
  return (details.length === 0 ? rest : { ...rest, externalPayloads: details }) as P;
}
