const LONGEST = 400;

/**
 * Words of others within a message of ours: one line, shortened, and without what differs each time though nothing has
 * changed, as every difference would be one more write of the status.
 */
export function quote(text: string): string {
  const steady = text
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/\b\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})/g, '…')
    .replaceAll(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, '…')
    .replaceAll(/\b(pods? "[^"]+?)-[a-z0-9]{5,10}-([a-z0-9]{5})?"/g, '$1"')
    .trim()
    .replace(/[.;,:]+$/, '');
  return steady.length > LONGEST ? `${steady.slice(0, LONGEST)}…` : steady;
}

/** The last thing that a program said before it ended, from the end of its log. */
export function lastMessage(log: string): string | undefined {
  const lines = log.split('\n').filter((line) => line.trim() !== '');
  const begin = lines.findLastIndex((line) => line.startsWith(PROGRAM));
  if (begin >= 0) return quote(lines.slice(begin).join(' ').slice(PROGRAM.length));
  const last = lines.at(-1);
  return last === undefined ? undefined : quote(messageOf(last));
}

const PROGRAM = 'payload-store: ';

function messageOf(line: string): string {
  try {
    const { msg, err } = JSON.parse(line) as { msg?: unknown; err?: { message?: unknown } };
    const words = [msg, err?.message].filter((each) => typeof each === 'string');
    return words.length > 0 ? [...new Set(words)].join(': ') : line;
  } catch {
    return line;
  }
}
