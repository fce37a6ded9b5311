import type { ChangeListener } from '../kubernetes/object-cache.ts';

/** What has a place in a namespace, and the store that its label names. */
interface Belonging {
  readonly namespace: string;
  readonly name: string;
  readonly store: string | undefined;
}

/** Finds what belongs to a store without looking through what belongs to all of them. */
export class StoreIndex<T extends Belonging> {
  readonly #byStore = new Map<string, Map<string, T>>();

  /**
   * @param informer kept up to date with
   * @param changed called with the key, `NAMESPACE/NAME`, of each store that a change concerns
   */
  constructor(
    informer: { onChange(listener: ChangeListener<T>): void },
    changed: (store: string) => void = () => {},
  ) {
    informer.onChange((_key, before, after) => {
      const stores = new Set<string>();
      if (before !== undefined) stores.add(this.#remove(before) ?? '');
      if (after !== undefined) stores.add(this.#put(after) ?? '');
      for (const store of stores) if (store !== '') changed(store);
    });
  }

  /** @param store `NAMESPACE/NAME` */
  of(store: string): readonly T[] {
    return [...(this.#byStore.get(store)?.values() ?? [])];
  }

  #put(object: T): string | undefined {
    const store = storeOf(object);
    if (store === undefined) return undefined;
    const members = this.#byStore.get(store) ?? new Map<string, T>();
    members.set(object.name, object);
    this.#byStore.set(store, members);
    return store;
  }

  #remove(object: T): string | undefined {
    const store = storeOf(object);
    if (store === undefined) return undefined;
    const members = this.#byStore.get(store);
    members?.delete(object.name);
    if (members?.size === 0) this.#byStore.delete(store);
    return store;
  }
}

function storeOf({ namespace, store }: Belonging): string | undefined {
  return store === undefined ? undefined : `${namespace}/${store}`;
}
