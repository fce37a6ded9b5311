import { isDeepStrictEqual } from 'node:util';
import type { KubernetesObject } from './api.ts';

/** `undefined` before: it is new; after: it has gone. */
export type ChangeListener<T> = (key: string, before: T | undefined, after: T | undefined) => void;

interface Kept<T> {
  readonly resourceVersion: string | undefined;
  readonly value: T;
}

/**
 * What is needed of each object, by its key. Listeners hear of a change once, after it; not of one that leaves what is
 * kept as it was.
 */
export class ObjectCache<T> {
  readonly #map: (object: KubernetesObject) => T;
  readonly #onFailure: (failure: Error) => void;
  readonly #kept = new Map<string, Kept<T>>();
  readonly #listeners: ChangeListener<T>[] = [];

  /** @param onFailure told what `map` or a listener has thrown */
  constructor(map: (object: KubernetesObject) => T, onFailure: (failure: Error) => void) {
    this.#map = map;
    this.#onFailure = onFailure;
  }

  get size(): number {
    return this.#kept.size;
  }

  get(key: string): T | undefined {
    return this.#kept.get(key)?.value;
  }

  *entries(): Generator<[key: string, value: T]> {
    for (const [key, { value }] of this.#kept) yield [key, value];
  }

  onChange(listener: ChangeListener<T>): void {
    this.#listeners.push(listener);
  }

  /** @returns its key */
  put(object: KubernetesObject): string {
    const key = keyOf(object);
    const { resourceVersion } = object.metadata;
    const before = this.#kept.get(key);
    if (before !== undefined && before.resourceVersion === resourceVersion) return key;
    this.#guard(() => {
      const value = this.#map(object);
      this.#kept.set(key, { resourceVersion, value });
      if (before === undefined || !isDeepStrictEqual(before.value, value))
        this.#tell(key, before?.value, value);
    });
    return key;
  }

  remove(key: string): void {
    const before = this.#kept.get(key);
    if (before === undefined) return;
    this.#kept.delete(key);
    this.#tell(key, before.value, undefined);
  }

  /** Removes what is not in `keys`. */
  retain(keys: ReadonlySet<string>): void {
    for (const key of this.#kept.keys()) if (!keys.has(key)) this.remove(key);
  }

  #tell(key: string, before: T | undefined, after: T | undefined): void {
    for (const listener of this.#listeners) this.#guard(() => listener(key, before, after));
  }

  /** One bad object, or a listener's mistake, must not end what keeps all the others current. */
  #guard(work: () => void): void {
    try {
      work();
    } catch (error) {
      this.#onFailure(error as Error);
    }
  }
}

/** `namespace/name` */
export function keyOf({ metadata }: Pick<KubernetesObject, 'metadata'>): string {
  return `${metadata.namespace ?? ''}/${metadata.name}`;
}
