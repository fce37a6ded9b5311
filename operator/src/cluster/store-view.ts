import type { KubernetesApi } from '../kubernetes/api.ts';
import { Informer } from '../kubernetes/informer.ts';
import { LARGE_PAYLOAD_STORES, NAMESPACES } from '../kubernetes/resources.ts';
import { readStore, type StoreResource } from '../stores/read-store.ts';
import { mapNamespace, type ObservedNamespace } from './namespace.ts';

/** objects asked for at a time: pages of 500 take 25 MiB more at a start with 1,000 stores */
export const PAGE_SIZE = 100;
export const STILL_READ = 'the cluster is still being read';

export interface StoreViewOptions {
  readonly api: KubernetesApi;
  /** Namespaces are watched too, which injection needs. */
  readonly namespaces: boolean;
  readonly onFailure: (failure: Error) => void;
}

/**
 * The stores of the cluster and, for injection, its namespaces, as last seen. With injection every replica runs it for the life of the
 * process; otherwise only the leader does.
 */
export class StoreView {
  readonly #stores: Informer<StoreResource>;
  readonly #namespaces: Informer<ObservedNamespace> | undefined;

  constructor({ api, namespaces, onFailure }: StoreViewOptions) {
    const timings = { pageSize: PAGE_SIZE };
    const stores = { resource: LARGE_PAYLOAD_STORES };
    this.#stores = new Informer({ api, selection: stores, map: readStore, onFailure, timings });
    const selection = { resource: NAMESPACES, metadataOnly: true };
    if (namespaces)
      this.#namespaces = new Informer({ api, selection, map: mapNamespace, onFailure, timings });
  }

  /** Called with the key, `NAMESPACE/NAME`, of each store that has changed. */
  onChange(listener: (store: string) => void): void {
    this.#stores.onChange(listener);
  }

  /** Called with the name of each namespace whose labels or annotations of ours have changed. */
  onNamespaceChange(listener: (namespace: string) => void): void {
    this.#namespaces?.onChange((key) => listener(key.slice(1)));
  }

  /** Resolves once everything has been listed. */
  get synced(): Promise<unknown> {
    return Promise.all(this.#informers().map(({ synced }) => synced));
  }

  /** Keeps the view up to date until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#informers().map((informer) => informer.run(signal)));
  }

  /** Why the view is not up to date, as a sentence; `undefined`: it is. */
  get missing(): string | undefined {
    const states = this.#informers().map((informer) => informer.status());
    const failure = states.find((state) => state.failure !== undefined)?.failure;
    if (failure !== undefined) return failure;
    return this.isSynced ? undefined : STILL_READ;
  }

  /** Everything has been listed once; it may be old while the API server cannot be reached. */
  get isSynced(): boolean {
    return this.#informers().every((informer) => informer.status().synced);
  }

  /** @param key `NAMESPACE/NAME` */
  store(key: string): StoreResource | undefined {
    return this.#stores.get(key);
  }

  stores(): Iterable<[key: string, store: StoreResource]> {
    return this.#stores.entries();
  }

  /** `undefined`: there is none, or namespaces are not watched */
  namespace(name: string): ObservedNamespace | undefined {
    return this.#namespaces?.get(`/${name}`);
  }

  #informers(): readonly Pick<Informer<unknown>, 'run' | 'status' | 'synced'>[] {
    return this.#namespaces ? [this.#stores, this.#namespaces] : [this.#stores];
  }
}
