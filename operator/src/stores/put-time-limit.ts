import { FOREVER, parseDuration, putTimeLimit } from '@largepayload/crds';

/** ms that the service allows for a PUT of a store with this `spec.retention.ttl` */
export function longestPut(ttl: string): number {
  return putTimeLimit(ttl === FOREVER ? undefined : parseDuration(ttl));
}
