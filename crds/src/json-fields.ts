/** Reads JSON of unknown shape: a value of another type counts as missing. */

type Fields = Readonly<Record<string, unknown>>;

/** UTF-16 units; a sentence for people is shorter */
export const LONGEST_LINE = 2_000;
/** RFC 3339 has no later time, and the API server takes none. */
const LATEST_TIME = Date.UTC(9999, 11, 31, 23, 59, 59);

/** The value at a chain of fields, as a CEL selection; `undefined`: a field is missing. */
export function at(value: unknown, ...path: readonly string[]): unknown {
  let current = value;
  for (const field of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, field)) return undefined;
    current = (current as Fields)[field];
  }
  return current;
}

export function textAt(value: unknown, ...path: readonly string[]): string | undefined {
  const found = at(value, ...path);
  return typeof found === 'string' && found !== '' ? found : undefined;
}

/** A text of another program, for people. It is cut, as it may become part of a condition. */
export function lineAt(value: unknown, ...path: readonly string[]): string | undefined {
  const text = textAt(value, ...path);
  return text && asLine(text.slice(0, LONGEST_LINE));
}

/** In one line, without what a terminal takes for a command, and without parts of surrogate pairs. */
export function asLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}]+/gu, ' ').toWellFormed();
}

/** 0 for a missing number, as the API server leaves zeros out. */
export function countAt(value: unknown, ...path: readonly string[]): number {
  const found = at(value, ...path);
  return typeof found === 'number' && Number.isSafeInteger(found) ? found : 0;
}

/** ms since the epoch; `undefined` also for times before it and after the year 9999 */
export function timeAt(value: unknown, ...path: readonly string[]): number | undefined {
  const time = Date.parse(textAt(value, ...path) ?? '');
  return time >= 0 && time <= LATEST_TIME ? time : undefined;
}

export function listAt(value: unknown, ...path: readonly string[]): readonly Fields[] {
  const found = at(value, ...path);
  return Array.isArray(found) ? found.filter(isFields) : [];
}

export function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
