const LONGEST = 15 * 60_000;
const SHORTEST = 2_000;

/** ms that a PUT may take, from parsed headers to acknowledgement. @param ttl ms; `undefined`: payloads are kept for ever */
export function putTimeLimit(ttl: number | undefined): number {
  if (ttl === undefined) return LONGEST;
  return Math.max(SHORTEST, Math.min(LONGEST, Math.floor(ttl / 4)));
}
