import type { ChangeListener } from '../kubernetes/object-cache.ts';

/** An object, and the store that its labels name. */
interface Belonging {
  readonly namespace: string;
  readonly name: string;
  readonly store: string | undefined;
  /** absent: `namespace` */
  readonly storeNamespace?: string;
}

/** Finds the objects of a store without a look through those of all stores. */
export class StoreIndex<T extends Belonging> {
  readonly #byStore = new Map<string, Map<string, T>>();

  /**
   * @param informer kept up to date with
   * @param changed called with the key, `NAMESPACE/NAME`, of each store that a change concerns
   */
  constructor(informer: { onChange(listener: ChangeListener<T>): void }, changed: (store: string) => void) {
    informer.onChange((_key, before, after) => {
      const [left, entered] = [storeOf(before), storeOf(after)];
      if (before !== undefined && left !== undefined) this.#remove(left, before);
      if (after !== undefined && entered !== undefined) this.#put(entered, after);
      for (const store of new Set([left, entered])) if (store !== undefined) changed(store);
    });
  }

  /** @param store `NAMESPACE/NAME` */
  of(store: string): readonly T[] {
    return [...(this.#byStore.get(store)?.values() ?? [])];
  }

  #put(store: string, object: T): void {
    const members = this.#byStore.get(store) ?? new Map<string, T>();
    this.#byStore.set(store, members.set(placeOf(object), object));
  }

  #remove(store: string, object: T): void {
    const members = this.#byStore.get(store);
    members?.delete(placeOf(object));
    if (members?.size === 0) this.#byStore.delete(store);
  }
}

function placeOf({ namespace, name }: Belonging): string {
  return `${namespace}/${name}`;
}

function storeOf(object: Belonging | undefined): string | undefined {
  if (object?.store === undefined) return undefined;
  return `${object.storeNamespace ?? object.namespace}/${object.store}`;
}
