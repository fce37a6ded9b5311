import { at } from './json-fields.ts';
import type { Problem } from './manifest-error.ts';
import { fieldPath, shown } from './message-parts.ts';
import { scalarProblem } from './scalars.ts';
import type { Exception, SchemaNode } from './schema/node.ts';
import { nearest } from './suggest.ts';
import { isMap, wrongType } from './types.ts';

/** A problem, and the exception by which a reader may allow it. */
interface FoundProblem extends Problem {
  readonly exception?: Exception | undefined;
}

type Fields = Readonly<Record<string, unknown>>;

/**
 * Validates a value as the API server validates a resource, except that unknown fields are problems too.
 * An empty (null) field counts as missing, as it does there.
 * @returns a copy with defaults and without unknown fields; without problems it has the type of the schema
 */
export function validate(schema: SchemaNode, value: unknown): { value: unknown; problems: FoundProblem[] } {
  const validation = new Validation();
  return { value: validation.check(schema, value, ''), problems: validation.problems };
}

class Validation {
  readonly problems: FoundProblem[] = [];

  check(node: SchemaNode, value: unknown, path: string): unknown {
    const wrong = wrongType(node, value) ?? scalarProblem(node, value);
    if (wrong !== undefined) {
      this.#found(path, wrong);
      return value;
    }
    const checked = this.#children(node, value, path);
    for (const { message, holds, field, exception } of node.rules ?? []) {
      if (!holds || holds(checked)) continue;
      const isScalar = typeof checked !== 'object';
      const where = [path, field].filter(Boolean).join('.');
      this.#found(where, isScalar ? `${shown(checked)}: ${message}` : message, exception);
    }
    return checked;
  }

  #found(path: string, message: string, exception?: Exception): void {
    this.problems.push({ path, message, exception });
  }

  #children(node: SchemaNode, value: unknown, path: string): unknown {
    if (Array.isArray(value)) return this.#list(node, value, path);
    if (!isMap(value)) return value;
    const { additionalProperties: shape } = node;
    return typeof shape === 'object'
      ? this.#openMap(node, shape, value, path)
      : this.#fields(node, value, path);
  }

  #fields(node: SchemaNode, value: Fields, path: string): Fields {
    const properties = node.properties ?? {};
    const checked: Record<string, unknown> = {};
    for (const [name, property] of Object.entries(properties)) {
      const given = Object.hasOwn(value, name) ? (value[name] ?? undefined) : undefined;
      const found = given ?? structuredClone(property.default);
      const at = fieldPath(path, name);
      if (found !== undefined) checked[name] = this.check(property, found, at);
      else if (node.required?.includes(name)) this.#found(at, 'required field is missing');
    }
    for (const name of Object.keys(value)) {
      if (Object.hasOwn(properties, name) || isDropped(node, name)) continue;
      const message = unknownField(name, Object.keys(properties));
      this.#found(fieldPath(path, name), message, 'allowUnknownFields');
    }
    return checked;
  }

  #openMap(node: SchemaNode, shape: SchemaNode, value: Fields, path: string): Fields {
    const names = Object.keys(value);
    if (node.maxProperties !== undefined && names.length > node.maxProperties) {
      this.#found(path, `takes at most ${node.maxProperties} fields, got ${names.length}`);
    }
    const checked: Record<string, unknown> = {};
    for (const name of names) {
      const at = fieldPath(path, name);
      if (name === '__proto__') this.#found(at, 'unknown field');
      else checked[name] = this.check(shape, value[name], at);
    }
    return checked;
  }

  #list(node: SchemaNode, list: readonly unknown[], path: string): readonly unknown[] {
    const { minItems = 0, maxItems = Number.POSITIVE_INFINITY, items } = node;
    if (list.length < minItems) this.#found(path, `needs at least ${minItems} item`);
    if (list.length > maxItems) this.#found(path, `takes at most ${maxItems} items, got ${list.length}`);
    const seen = new Set<unknown>();
    return list.map((item, index) => {
      const place = `${path}[${index}]`;
      const key = keyOf(node, item);
      if (key !== undefined && seen.has(key)) this.#found(place, `${shown(key)} is listed twice`);
      seen.add(key);
      return items ? this.check(items, item, place) : item;
    });
  }
}

/** What an item of a list must not share with another; `undefined`: it may share everything. Lists with a map's keys have one key. */
function keyOf(node: SchemaNode, item: unknown): unknown {
  const [field = ''] = node['x-kubernetes-list-map-keys'] ?? [];
  if (node['x-kubernetes-list-type'] === 'map') return at(item, field);
  return node['x-kubernetes-list-type'] === 'set' ? item : undefined;
}

/** A field that would change a prototype is a problem even where fields of any name are dropped. */
function isDropped(node: SchemaNode, name: string): boolean {
  return node.additionalProperties === true && name !== '__proto__';
}

function unknownField(name: string, known: readonly string[]): string {
  const suggestion = nearest(name, known);
  if (suggestion !== undefined) return `unknown field; did you mean "${suggestion}"?`;
  return `unknown field; fields here: ${known.join(', ')}`;
}
