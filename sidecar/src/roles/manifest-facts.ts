import { type LargePayloadStore, parseDuration } from '@largepayload/crds';
import type { StorePolicy } from '../callers/caller-rules.ts';
import type { Authentication } from '../callers/callers.ts';
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
  const { allowedNamespaces, callers, temporalNamespaces, gateway } = manifest.spec as SpecOfCallers;
  return { ...identityOf(manifest), allowedNamespaces, callers, temporalNamespaces, oidc: gateway?.oidc };
}

/** In a cluster the operator writes the mode that is in force into the manifest. A manifest without it has none. */
export function authenticationOf(manifest: LargePayloadStore): Authentication {
  return (manifest.spec as SpecOfCallers).gateway?.authentication ?? 'None';
}

interface SpecOfCallers extends Pick<StorePolicy, 'allowedNamespaces' | 'callers' | 'temporalNamespaces'> {
  readonly gateway?: Pick<StorePolicy, 'oidc'> & { readonly authentication?: Authentication };
}
