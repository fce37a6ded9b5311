import { StoreIndex } from '../../cluster/store-index.ts';
import type { KubernetesApi } from '../../kubernetes/api.ts';
import { Informer } from '../../kubernetes/informer.ts';
import type { ObservedObject } from '../../stores/observed.ts';
import { OURS, observedPolicy, POLICY_KINDS } from './observed-policy.ts';

/** The admission policies and bindings that the operator has made, as last seen. */
export class PolicyView {
  readonly #informers: readonly Informer<ObservedObject>[];
  readonly #indexes: readonly StoreIndex<ObservedObject>[];
  readonly #listeners: ((store: string) => void)[] = [];

  constructor(api: KubernetesApi, onFailure: (failure: Error) => void) {
    this.#informers = POLICY_KINDS.map((resource) => {
      const selection = { resource, labelSelector: OURS, metadataOnly: true };
      return new Informer({ api, selection, map: (object) => observedPolicy(resource, object), onFailure });
    });
    this.#indexes = this.#informers.map(
      (informer) =>
        new StoreIndex(informer, (store) => {
          for (const listener of this.#listeners) listener(store);
        }),
    );
  }

  /** Called with the key, `NAMESPACE/NAME`, of each store of which an object has changed. */
  onChange(listener: (store: string) => void): void {
    this.#listeners.push(listener);
  }

  /** Resolves once everything has been listed. */
  get synced(): Promise<unknown> {
    return Promise.all(this.#informers.map(({ synced }) => synced));
  }

  /** Why nothing has been listed yet, as a sentence; `undefined`: it has, or nothing has failed. */
  get problem(): string | undefined {
    const states = this.#informers.map((informer) => informer.status());
    return states.find(({ synced, failure }) => !synced && failure !== undefined)?.failure;
  }

  /** @param store `NAMESPACE/NAME` */
  objects(store: string): readonly ObservedObject[] {
    return this.#indexes.flatMap((index) => index.of(store));
  }

  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#informers.map((informer) => informer.run(signal)));
  }
}
