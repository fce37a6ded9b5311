import { FOREVER, parseDuration } from '@largepayload/crds';

const LONGEST_PUT = 900_000;
const SHORTEST_PUT_LIMIT = 2_000;

/**
 * Milliseconds that a PUT of a store may take (D of the design), for its `spec.retention.ttl`. The service has the same
 * rule in `putTimeLimit`, and a test compares the two.
 */
export function longestPut(ttl: string): number {
  if (ttl === FOREVER) return LONGEST_PUT;
  return Math.max(SHORTEST_PUT_LIMIT, Math.min(LONGEST_PUT, Math.floor(parseDuration(ttl) / 4)));
}
