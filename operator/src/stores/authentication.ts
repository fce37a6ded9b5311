import type { Authentication, LargePayloadStoreStatus } from '@largepayload/crds';
import type { StoreResource } from './read-store.ts';

/**
 * How the gateways of a store know their callers: as its spec has it, and otherwise as before. A store that an operator without
 * authentication has made keeps callers without a token (`Migrate`), so that the operator's upgrade breaks none of them.
 */
export function effectiveAuthentication({
  spec,
  status,
}: Pick<StoreResource, 'spec' | 'status'>): Authentication {
  return (
    spec?.gateway.authentication ?? status.authentication ?? (wasReconciled(status) ? 'Migrate' : 'Token')
  );
}

/** The workers of a store are reported by another writer, which may be the first. Version 0.1 did not report them. */
function wasReconciled({ observedGeneration, conditions = [] }: LargePayloadStoreStatus): boolean {
  return observedGeneration !== undefined || conditions.some(({ type }) => type !== 'InjectionCurrent');
}
