const EXCERPT_LENGTH = 60;

/** A text in quotes: one line, control characters escaped, shortened. */
export function excerpt(text: string): string {
  return JSON.stringify(text.length > EXCERPT_LENGTH ? `${text.slice(0, EXCERPT_LENGTH)}…` : text);
}

/** A text or number at the start of a message about it. */
export function shown(value: unknown): string {
  return typeof value === 'string' ? excerpt(value) : String(value);
}

/** The path of a field: `spec` and `ttl` give `spec.ttl`; a name that is no plain word is quoted. */
export function fieldPath(parent: string, field: string): string {
  if (!/^\w[\w-]{0,59}$/.test(field)) return `${parent}[${excerpt(field)}]`;
  return parent ? `${parent}.${field}` : field;
}

/** Describes a value for the end of "expected a string, got …". */
export function describeValue(value: unknown): string {
  if (value === undefined || value === null) return 'nothing';
  if (typeof value === 'string') return `the string ${excerpt(value)}`;
  if (typeof value === 'number') return `the number ${value}`;
  if (typeof value === 'boolean') return String(value);
  return Array.isArray(value) ? 'a list' : 'a map';
}
