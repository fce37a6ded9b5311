import { isDeepStrictEqual } from 'node:util';
import type { KubernetesObject } from './api.ts';

/** `before` is `undefined` for a new object, `after` for one that has gone. */
export type ChangeListener<T> = (key: string, before: T | undefined, after: T | undefined) => void;

interface Kept<T> {
  readonly resourceVersion: string | undefined;
  readonly value: T;
}

/** Keeps the mapped data of each object, by its key. Listeners are called once after each change of the data. */
export class ObjectCache<T> {
  readonly #map: (object: KubernetesObject) => T;
  readonly #onFailure: (failure: Error) => void;
  readonly #kept = new Map<string, Kept<T>>();
  readonly #listeners: ChangeListener<T>[] = [];

  /** @param onFailure called with what `map` or a listener throws */
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
        this.#notify(key, before?.value, value);
    });
    return key;
  }

  remove(key: string): void {
    const before = this.#kept.get(key);
    if (before === undefined) return;
    this.#kept.delete(key);
    this.#notify(key, before.value, undefined);
  }

  /** Removes the objects whose key is not in `keys`. */
  retain(keys: ReadonlySet<string>): void {
    for (const key of this.#kept.keys()) if (!keys.has(key)) this.remove(key);
  }

  #notify(key: string, before: T | undefined, after: T | undefined): void {
    for (const listener of this.#listeners) this.#guard(() => listener(key, before, after));
  }

  /** One bad object, or a mistake of a listener, must not end the updates of all the others. */
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
