import type { KubernetesObject } from '../kubernetes/api.ts';

/** What became of an attempt to read something. */
export type Reading<T> =
  | { readonly kind: 'found'; readonly value: T }
  /** there is no such object */
  | { readonly kind: 'absent' }
  /** the API server does not know this kind of object */
  | { readonly kind: 'unserved' }
  /** a right is missing, or the request failed; `why` for people */
  | { readonly kind: 'unreadable'; readonly why: string };

export const ABSENT = { kind: 'absent' } as const;

export function found<T>(value: T): Reading<T> {
  return { kind: 'found', value };
}

export function unreadable<T>(why: string): Reading<T> {
  return { kind: 'unreadable', why };
}

/** The value, where it was found. */
export function valueIn<T>(reading: Reading<T>): T | undefined {
  return reading.kind === 'found' ? reading.value : undefined;
}

/** Objects of a list, of which no more than asked for are read. */
export interface Objects {
  readonly items: readonly KubernetesObject[];
  /** whether these are all */
  readonly complete: boolean;
}
