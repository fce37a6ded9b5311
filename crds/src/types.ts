import { describeValue } from './message-parts.ts';
import type { SchemaNode } from './schema/node.ts';

interface Type {
  readonly expected: string;
  readonly accepts: (value: unknown) => boolean;
}

const isText = (value: unknown) => typeof value === 'string';

const TYPES: Readonly<Record<NonNullable<SchemaNode['type']>, Type>> = {
  object: { expected: 'a map', accepts: isMap },
  array: { expected: 'a list', accepts: Array.isArray },
  string: { expected: 'a string', accepts: isText },
  integer: { expected: 'a whole number', accepts: Number.isSafeInteger },
  boolean: { expected: 'true or false', accepts: (value) => typeof value === 'boolean' },
};

const INTEGER_OR_STRING: Type = {
  expected: 'a whole number or a string',
  accepts: (value) => isText(value) || Number.isSafeInteger(value),
};

/** Whether a value is a map of fields, and no list, date or set. */
export function isMap(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

/** A message about a value of a wrong type, with a correction where that is plain; `undefined`: the type is right. */
export function wrongType(node: SchemaNode, value: unknown): string | undefined {
  const type = node.type ? TYPES[node.type] : INTEGER_OR_STRING;
  if (type.accepts(value)) return undefined;
  const hint = hintFor(node, value);
  return `expected ${type.expected}, got ${describeValue(value)}${hint ? `; ${hint}` : ''}`;
}

function hintFor(node: SchemaNode, value: unknown): string | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return hintForPlain(node, value);
  if (typeof value !== 'string') return undefined;
  switch (node.type) {
    case 'boolean':
      if (/^(true|false)$/.test(value)) return 'remove the quotes';
      if (/^(yes|y|on)$/i.test(value)) return 'write true';
      return /^(no|n|off)$/i.test(value) ? 'write false' : undefined;
    case 'integer':
      return /^[0-9]+$/.test(value) ? 'remove the quotes' : undefined;
    case 'array':
      return /^[\w.-]{1,60}$/.test(value) ? `write it as a list item: - ${value}` : undefined;
    default:
      return undefined;
  }
}

/** YAML reads `30`, `1.10` and `true` as numbers and booleans, where a person may have meant a text. */
function hintForPlain(node: SchemaNode, value: number | boolean): string | undefined {
  if (node.type === 'array') return `write it as a list item: - ${value}`;
  if (node.type === 'string' && node.expected) return `write ${node.expected}`;
  const takesText = node.type === 'string' || (!node.type && typeof value === 'number');
  return takesText ? `put it in quotes: "${value}"` : undefined;
}
