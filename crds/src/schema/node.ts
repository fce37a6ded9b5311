import type { TSchema } from 'typebox';
import { at } from '../json-fields.ts';

/**
 * A rule that no single keyword expresses, declared at the schema node it judges. In a cluster the API server
 * evaluates `cel`; elsewhere `holds` judges the same value, defaults applied.
 */
export interface Rule {
  /** absent: CEL cannot express the rule, or need not, and only our own validation judges */
  readonly cel?: string;
  readonly message: string;
  /**
   * Absent only for transition rules (`oldSelf`), as a file has no earlier state. It must hold for fields that are missing or of a
   * wrong type, which are reported elsewhere, and must not throw.
   */
  readonly holds?: (value: unknown) => boolean;
  /** dotted path, below the node, of the field that a person would edit; problems are reported there */
  readonly field?: string;
  readonly exception?: Exception;
}

/**
 * A problem that a reader may allow: a prefix that version 0.1 allowed (see `isReservedPrefix`), and fields of a newer CRD, which
 * may come before its operator.
 */
export type Exception = 'allowReservedPrefix' | 'allowUnknownFields';

/** A schema node. Keywords beyond JSON Schema are for our validation, and are not emitted. */
export interface SchemaNode {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'boolean';
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  /** fields that a parsed value has; those with a default may be missing in a manifest */
  readonly required?: readonly string[];
  /** `false` or absent: unknown fields are errors; `true`: they are dropped; a node: fields of any name have that shape */
  readonly additionalProperties?: boolean | SchemaNode;
  readonly maxProperties?: number;
  readonly items?: SchemaNode;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly format?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly 'x-kubernetes-int-or-string'?: true;
  readonly 'x-kubernetes-list-type'?: 'set' | 'map';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly rules?: readonly Rule[];
  /** describes `pattern` for people: "a duration such as 30s" */
  readonly expected?: string;
}

/** TypeBox's types do not have the keywords. Every schema of this package is a `SchemaNode`. */
export function nodeOf(schema: TSchema): SchemaNode {
  return schema as SchemaNode;
}

/** Whether a chain of fields exists, as CEL's `has(self.a.b)`. */
export function has(value: unknown, ...fields: string[]): boolean {
  return at(value, ...fields) !== undefined;
}
