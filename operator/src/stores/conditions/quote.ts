/** UTF-16 units */
const LONGEST_QUOTE = 400;

/**
 * Another program's text for a message of ours: one line, shortened. Times, identifiers and names made by chance are left out, as
 * each difference in a message is one more write of the status.
 */
export function quote(text: string): string {
  const steady = text
    .replaceAll(/\s+/g, ' ')
    .replaceAll(/\b\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?(Z|[+-]\d{2}:\d{2})/g, '…')
    .replaceAll(/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/g, '…')
    .replaceAll(/\b(pods? "[^"]+?)-[a-z0-9]{5,10}-([a-z0-9]{5})?"/g, '$1"')
    .trim()
    .replace(/[.;,:]+$/, '');
  return steady.length > LONGEST_QUOTE ? `${steady.slice(0, LONGEST_QUOTE)}…` : steady;
}

/** The message by which a program ended, for people, from the end of its log: the last lines that the service wrote to stderr, or the last line. */
export function lastMessage(log: string): string | undefined {
  const lines = log.split('\n').filter((line) => line.trim() !== '');
  const begin = lines.findLastIndex((line) => line.startsWith(SERVICE_ERROR));
  if (begin >= 0) return quote(lines.slice(begin).join(' ').slice(SERVICE_ERROR.length));
  const last = lines.at(-1);
  return last === undefined ? undefined : quote(messageOf(last));
}

const SERVICE_ERROR = 'payload-store: ';

function messageOf(line: string): string {
  try {
    const { msg, err } = JSON.parse(line) as { msg?: unknown; err?: { message?: unknown } };
    const texts = [msg, err?.message].filter((each) => typeof each === 'string');
    return texts.length > 0 ? [...new Set(texts)].join(': ') : line;
  } catch {
    return line;
  }
}
