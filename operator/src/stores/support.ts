import type { Finding } from './conditions/finding.ts';
import type { StoreSpec } from './read-store.ts';

/** What this version cannot do for a store; pods would refuse it, too. `undefined`: it can do everything asked for. */
export function unsupported({ storage, retention }: StoreSpec): Finding | undefined {
  for (const backend of ['gcs', 'azure'] as const) {
    if (storage[backend] === undefined) continue;
    return {
      reason: 'StorageNotSupported',
      message: `spec.storage.${backend}: this version stores in s3 or on a filesystem only; the backend of a store cannot change, so delete this one and make another`,
    };
  }
  if (retention.temporal === undefined) return undefined;
  const now =
    storage.filesystem === undefined
      ? 'so the reaper is taken away and nothing is removed'
      : 'and the pod that runs goes on removing payloads by their TTL alone';
  return {
    reason: 'RetentionNotSupported',
    message: `spec.retention.temporal: this version cannot ask Temporal whether a payload is in use, ${now}; take the field out to have payloads removed by their TTL alone`,
  };
}

/** Whether payloads are to be held that a reaper of this version would remove. */
export function asksToHold({ retention }: StoreSpec): boolean {
  return retention.temporal !== undefined;
}
