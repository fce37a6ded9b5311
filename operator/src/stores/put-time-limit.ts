import { FOREVER, parseDuration, putTimeLimit } from '@largepayload/crds';

/** Milliseconds that a PUT of a store may take, for its `spec.retention.ttl`: what its service allows. */
export function longestPut(ttl: string): number {
  return putTimeLimit(ttl === FOREVER ? undefined : parseDuration(ttl));
}
