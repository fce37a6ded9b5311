import type { TSchema } from 'typebox';

/**
 * A rule that no single keyword can say, declared at the schema node it judges. In the cluster the API server
 * evaluates `cel`; outside it, `holds` judges the same value, defaults applied.
 */
export interface Rule {
  /** Absent: only our own validation judges, as CEL cannot say it or needs not. */
  readonly cel?: string;
  readonly message: string;
  /**
   * Absent only for transition rules (`oldSelf`): a file has no earlier state. Fields that are missing or of a
   * wrong type are reported elsewhere, so it must hold for them and never throw.
   */
  readonly holds?: (value: unknown) => boolean;
  /** Dotted path below the node of the field that a person would edit; problems are reported there. */
  readonly field?: string;
  readonly exception?: Exception;
}

/**
 * A problem that a reader may allow: a prefix that version 0.1 allowed (see `isReservedPrefix`), and fields of a newer CRD, which
 * may come before its operator.
 */
export type Exception = 'allowReservedPrefix' | 'allowUnknownFields';

/** What a schema node may say. Keywords beyond JSON Schema are read by our validation, and never emitted. */
export interface SchemaNode {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'boolean';
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  /** Fields that a parsed value has; those with a default may be missing in a manifest. */
  readonly required?: readonly string[];
  /** `false`: unknown fields are errors (as when absent); `true`: they are dropped; a node: any field, so shaped. */
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
  /** What `pattern` asks for, for people: "a duration such as 30s". */
  readonly expected?: string;
}

/** TypeBox's own types say nothing of keywords; every schema of this package is a `SchemaNode`. */
export function nodeOf(schema: TSchema): SchemaNode {
  return schema as SchemaNode;
}

/** The value at a chain of fields, or undefined where any of them is missing. Mirrors a CEL selection. */
export function at(value: unknown, ...fields: string[]): unknown {
  let current = value;
  for (const field of fields) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, field)) return undefined;
    current = (current as Record<string, unknown>)[field];
  }
  return current;
}

/** Whether a chain of fields is there: CEL's `has(self.a.b)`. */
export function has(value: unknown, ...fields: string[]): boolean {
  return at(value, ...fields) !== undefined;
}
