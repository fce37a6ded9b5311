const LONGEST = 15 * 60_000;
const SHORTEST = 2_000;

/** Milliseconds that one PUT may take, from parsed headers to acknowledgement (D of the design); `undefined` ttl: kept for ever. */
export function putTimeLimit(ttl: number | undefined): number {
  if (ttl === undefined) return LONGEST;
  return Math.max(SHORTEST, Math.min(LONGEST, Math.floor(ttl / 4)));
}
