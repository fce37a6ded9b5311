/** The JSON object of a log line whose `msg` is this one; undefined for any other line. */
export function parseJsonLine<T extends { readonly msg: string }>(
  line: string,
  msg: T['msg'],
): T | undefined {
  if (!line.startsWith('{')) return undefined;
  const parsed = JSON.parse(line) as T;
  return parsed.msg === msg ? parsed : undefined;
}
