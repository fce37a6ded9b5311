/** Milliseconds after which no PUT is acknowledged by any store; what takes longer to read does not arrive either. */
export const longestRequestMs = 15 * 60_000;
const shortestMs = 2_000;

const expiringKey = /^\/expires-\d{8}T\d{6}Z-(\d{1,9})([smhd])\//;

const unitMs: Readonly<Record<string, number>> = { s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/**
 * The longest that a PUT answered with this key may have taken, in milliseconds: a quarter of the TTL that the key names,
 * at least 2 s and at most 15 min. The payload lives its TTL from any acknowledgement within that time; one that comes
 * later promises less than it seems to. `docs/wire-protocol.md`, "Deadlines".
 */
export function putTimeLimit(key: string): number {
  const [, count, unit] = expiringKey.exec(key) ?? [];
  if (count === undefined || unit === undefined) return longestRequestMs;
  const ttlMs = Number(count) * (unitMs[unit] ?? 0);
  return Math.max(shortestMs, Math.min(longestRequestMs, Math.floor(ttlMs / 4)));
}
