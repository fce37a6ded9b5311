import type { Problem } from './manifest-error.ts';
import { fieldPath } from './message-parts.ts';
import { scalarProblem, shown } from './scalars.ts';
import type { Exception, SchemaNode } from './schema/node.ts';
import { nearest } from './suggest.ts';
import { isMap, wrongType } from './types.ts';

/** A problem, and the exception by which a reader may allow it. */
export interface FoundProblem extends Problem {
  readonly exception?: Exception | undefined;
}

/**
 * Validates a value as the API server validates a resource, except that unknown fields are problems too.
 * An empty (null) field counts as missing, as it does there.
 * @returns a copy with defaults and without unknown fields; without problems it has the type of the schema
 */
export function validate(schema: SchemaNode, value: unknown): { value: unknown; problems: FoundProblem[] } {
  const problems: FoundProblem[] = [];
  return { value: check(schema, value, '', problems), problems };
}

function check(node: SchemaNode, value: unknown, path: string, problems: FoundProblem[]): unknown {
  const wrong = wrongType(node, value) ?? scalarProblem(node, value);
  if (wrong !== undefined) {
    problems.push({ path, message: wrong });
    return value;
  }
  const checked = checkChildren(node, value, path, problems);
  for (const { message, holds, field, exception } of node.rules ?? []) {
    if (!holds || holds(checked)) continue;
    const isScalar = typeof checked !== 'object';
    problems.push({
      path: [path, field].filter(Boolean).join('.'),
      message: isScalar ? `${shown(checked)}: ${message}` : message,
      exception,
    });
  }
  return checked;
}

function checkChildren(node: SchemaNode, value: unknown, path: string, problems: FoundProblem[]): unknown {
  if (Array.isArray(value)) return checkList(node, value, path, problems);
  if (!isMap(value)) return value;
  if (typeof node.additionalProperties === 'object') {
    return checkOpenMap(node, node.additionalProperties, value, path, problems);
  }
  return checkFields(node, value, path, problems);
}

function checkFields(
  node: SchemaNode,
  value: Readonly<Record<string, unknown>>,
  path: string,
  problems: FoundProblem[],
): Record<string, unknown> {
  const properties = node.properties ?? {};
  const checked: Record<string, unknown> = {};
  for (const [name, property] of Object.entries(properties)) {
    const given = Object.hasOwn(value, name) ? (value[name] ?? undefined) : undefined;
    const found = given ?? structuredClone(property.default);
    if (found !== undefined) {
      checked[name] = check(property, found, fieldPath(path, name), problems);
    } else if (node.required?.includes(name)) {
      problems.push({ path: fieldPath(path, name), message: 'required field is missing' });
    }
  }
  const known = Object.keys(properties);
  for (const name of Object.keys(value)) {
    if (Object.hasOwn(properties, name) || isDropped(node, name)) continue;
    problems.push({
      path: fieldPath(path, name),
      message: unknownField(name, known),
      exception: 'allowUnknownFields',
    });
  }
  return checked;
}

/** A field that would change a prototype is a problem even where fields of any name are dropped. */
function isDropped(node: SchemaNode, name: string): boolean {
  return node.additionalProperties === true && name !== '__proto__';
}

function checkOpenMap(
  node: SchemaNode,
  shape: SchemaNode,
  value: Readonly<Record<string, unknown>>,
  path: string,
  problems: FoundProblem[],
): Record<string, unknown> {
  const names = Object.keys(value);
  if (node.maxProperties !== undefined && names.length > node.maxProperties) {
    problems.push({ path, message: `takes at most ${node.maxProperties} fields, got ${names.length}` });
  }
  const checked: Record<string, unknown> = {};
  for (const name of names) {
    if (name === '__proto__') problems.push({ path: fieldPath(path, name), message: 'unknown field' });
    else checked[name] = check(shape, value[name], fieldPath(path, name), problems);
  }
  return checked;
}

function checkList(
  node: SchemaNode,
  list: readonly unknown[],
  path: string,
  problems: FoundProblem[],
): readonly unknown[] {
  const { minItems = 0, maxItems = Number.POSITIVE_INFINITY, items } = node;
  if (list.length < minItems) problems.push({ path, message: `needs at least ${minItems} item` });
  if (list.length > maxItems) {
    problems.push({ path, message: `takes at most ${maxItems} items, got ${list.length}` });
  }
  const seen = new Set<unknown>();
  return list.map((item, index) => {
    const itemPath = `${path}[${index}]`;
    if (node['x-kubernetes-list-type'] === 'set' && seen.has(item)) {
      problems.push({ path: itemPath, message: `${shown(item)} is listed twice` });
    }
    seen.add(item);
    return items ? check(items, item, itemPath, problems) : item;
  });
}

function unknownField(name: string, known: readonly string[]): string {
  const suggestion = nearest(name, known);
  if (suggestion !== undefined) return `unknown field; did you mean "${suggestion}"?`;
  return `unknown field; fields here: ${known.join(', ')}`;
}
