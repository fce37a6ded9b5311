import { shown } from './message-parts.ts';
import type { SchemaNode } from './schema/node.ts';

/** The first problem that the keywords of a schema node find in a text or number of the right type. */
export function scalarProblem(node: SchemaNode, value: unknown): string | undefined {
  if (typeof value === 'string') return textProblem(node, value);
  if (typeof value === 'number') return numberProblem(node, value);
  return undefined;
}

function textProblem(node: SchemaNode, text: string): string | undefined {
  // The API server counts code points too.
  const length = [...text].length;
  if (node.minLength !== undefined && length < node.minLength) {
    return length === 0 ? 'must not be empty' : `${shown(text)}: needs at least ${node.minLength} characters`;
  }
  // Before the pattern, which could take long for a text of megabytes.
  if (node.maxLength !== undefined && length > node.maxLength) {
    if (node.expected)
      return `${shown(text)}: expected ${node.expected}, in at most ${node.maxLength} characters`;
    return `takes at most ${node.maxLength} characters, got ${length}`;
  }
  if (node.pattern !== undefined && !new RegExp(node.pattern, 'u').test(text)) {
    return `${shown(text)}: expected ${node.expected ?? `a match of ${node.pattern}`}`;
  }
  if (node.enum && !node.enum.includes(text))
    return `${shown(text)}: expected one of ${node.enum.join(', ')}`;
  return undefined;
}

function numberProblem(node: SchemaNode, number: number): string | undefined {
  if (node.minimum !== undefined && number < node.minimum)
    return `${number}: must be at least ${node.minimum}`;
  if (node.maximum !== undefined && number > node.maximum)
    return `${number}: must be at most ${node.maximum}`;
  return undefined;
}
