import { type Authentication, type LargePayloadStore, parseDuration } from '@largepayload/crds';
import type { StorePolicy } from '../callers/caller-rules.ts';
import type { StoreIdentity } from '../storage-records/identity/identity.ts';

/** ms; `undefined`: payloads are kept for ever */
export function ttlOf({ spec }: LargePayloadStore): number | undefined {
  const { ttl } = spec.retention;
  return ttl === 'Forever' ? undefined : parseDuration(ttl);
}

export function identityOf({ metadata }: LargePayloadStore): StoreIdentity {
  return { namespace: metadata.namespace ?? 'default', name: metadata.name };
}

/** Who may use the store, and for what. */
export function policyOf(manifest: LargePayloadStore): StorePolicy {
  return { ...identityOf(manifest), spec: manifest.spec };
}

/** In a cluster the operator writes the mode that is in force into the manifest. A manifest without it has none. */
export function authenticationOf({ spec }: LargePayloadStore): Authentication {
  return spec.gateway.authentication ?? 'None';
}
