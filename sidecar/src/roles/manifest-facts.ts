import { type LargePayloadStore, parseDuration } from '@largepayload/crds';
import type { StoreIdentity } from '../storage-records/identity/identity.ts';

/** ms; `undefined`: payloads are kept for ever */
export function ttlOf({ spec }: LargePayloadStore): number | undefined {
  const { ttl } = spec.retention;
  return ttl === 'Forever' ? undefined : parseDuration(ttl);
}

export function identityOf({ metadata }: LargePayloadStore): StoreIdentity {
  return { namespace: metadata.namespace ?? 'default', name: metadata.name };
}
