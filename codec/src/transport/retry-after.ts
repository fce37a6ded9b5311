const longestSeconds = 3600;

/**
 * The seconds that a `Retry-After` asks to wait, from 0 to 3600, or undefined when it cannot be read. RFC 9110, 10.2.3:
 * either whole seconds or a date in GMT.
 */
export function retryAfterSeconds(header: string | undefined): number | undefined {
  const seconds = secondsOf(header ?? '');
  return Number.isNaN(seconds) ? undefined : Math.min(Math.max(0, Math.ceil(seconds)), longestSeconds);
}

function secondsOf(header: string): number {
  if (/^\d+$/.test(header)) return Number(header);
  return header.endsWith(' GMT') ? (Date.parse(header) - Date.now()) / 1000 : Number.NaN;
}
