import type { PatchOperation } from './raw-pod.ts';

/** A copy of a JSON value with a patch applied. @throws Error for a path that the value does not have */
export function applyPatch<Value>(value: Value, patch: readonly PatchOperation[]): Value {
  const copy = structuredClone(value);
  for (const operation of patch) add(copy, operation);
  return copy;
}

function add(root: unknown, { path, value }: PatchOperation): void {
  const parts = partsOf(path);
  const last = parts.pop() ?? '';
  let parent = root;
  for (const part of parts) parent = isContainer(parent) ? parent[part as never] : undefined;
  if (!isContainer(parent)) throw new Error(`the value has nothing at ${path}`);
  const added = structuredClone(value);
  if (!Array.isArray(parent)) parent[last] = added;
  else parent.splice(last === '-' ? parent.length : Number(last), 0, added);
}

/** The parts of a JSON pointer (RFC 6901). */
export function partsOf(pointer: string): string[] {
  const parts = pointer.split('/').slice(1);
  return parts.map((part) => part.replaceAll('~1', '/').replaceAll('~0', '~'));
}

function isContainer(value: unknown): value is Record<string, unknown> | unknown[] {
  return typeof value === 'object' && value !== null;
}
