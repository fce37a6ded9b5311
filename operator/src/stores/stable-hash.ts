import { createHash } from 'node:crypto';

const LENGTH = 10;

/** The first 10 hex digits of a text's sha256. */
export function hashText(text: string): string {
  return createHash('sha256').update(text).digest('hex').slice(0, LENGTH);
}

/** The same of a JSON value, whatever the order of its fields. */
export function hashValue(value: unknown): string {
  return hashText(JSON.stringify(value, sortFields));
}

function sortFields(_field: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const fields = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(fields);
}
