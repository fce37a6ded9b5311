import type { KubernetesApi, KubernetesObject, ResourceKind } from '../kubernetes/api.ts';
import { Informer } from '../kubernetes/informer.ts';
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  NETWORK_POLICIES,
  POD_DISRUPTION_BUDGETS,
  PODS,
  SERVICE_ACCOUNTS,
  SERVICES,
} from '../kubernetes/resources.ts';
import { MANAGED_BY } from '../stores/labels.ts';
import { mapDeployment } from '../stores/mapping/deployment.ts';
import { mapObject } from '../stores/mapping/object.ts';
import { mapPod } from '../stores/mapping/pod.ts';
import type { ObservedDeployment, ObservedObject, ObservedPod } from '../stores/observed.ts';
import type { StoreResource } from '../stores/read-store.ts';
import { StoreIndex } from './store-index.ts';
import { PAGE_SIZE, STILL_READ, type StoreView } from './store-view.ts';

const OURS = `app.kubernetes.io/managed-by=${MANAGED_BY}`;
/** Only the metadata of these is needed. */
const PLAIN_KINDS = [SERVICE_ACCOUNTS, CONFIG_MAPS, NETWORK_POLICIES, POD_DISRUPTION_BUDGETS, SERVICES];

export interface ClusterViewOptions {
  readonly api: KubernetesApi;
  /** runs by itself, perhaps since long before this view */
  readonly stores: StoreView;
  readonly onFailure: (failure: Error) => void;
}

/** All stores of the cluster and their objects, as last seen. A single view serves all reconcilers of the process. */
export class ClusterView {
  readonly #options: ClusterViewOptions;
  readonly #informers: Pick<Informer<unknown>, 'run' | 'status' | 'synced'>[] = [];
  readonly #listeners: ((store: string) => void)[] = [];
  readonly #deployments: StoreIndex<ObservedDeployment>;
  readonly #pods: StoreIndex<ObservedPod>;
  readonly #plainObjects: readonly StoreIndex<ObservedObject>[];

  constructor(options: ClusterViewOptions) {
    this.#options = options;
    const changed = (store: string) => this.#changed(store);
    options.stores.onChange(changed);
    const ours = { labelSelector: OURS };
    this.#deployments = new StoreIndex(this.#informer(DEPLOYMENTS, mapDeployment, ours), changed);
    this.#pods = new StoreIndex(this.#informer(PODS, mapPod, ours), changed);
    this.#plainObjects = PLAIN_KINDS.map((resource) => {
      const map = (object: KubernetesObject) => mapObject(resource, object);
      return new StoreIndex(this.#informer(resource, map, { ...ours, metadataOnly: true }), changed);
    });
  }

  /** Called with the key, `NAMESPACE/NAME`, of each store for which something has changed. */
  onChange(listener: (store: string) => void): void {
    this.#listeners.push(listener);
  }

  /** Resolves once everything has been listed. */
  get synced(): Promise<unknown> {
    return Promise.all([this.#options.stores, ...this.#informers].map(({ synced }) => synced));
  }

  /** Keeps the view up to date until the signal is aborted. Stores that were seen before count as changed. */
  async run(signal: AbortSignal): Promise<void> {
    for (const [key] of this.stores()) this.#changed(key);
    await Promise.all(this.#informers.map((informer) => informer.run(signal)));
  }

  /** Why the view is not up to date, as a sentence; `undefined`: it is. */
  get missing(): string | undefined {
    const states = this.#informers.map((informer) => informer.status());
    const failure = states.find((state) => state.failure !== undefined)?.failure;
    if (failure !== undefined) return failure;
    if (!states.every(({ synced }) => synced)) return STILL_READ;
    return this.#options.stores.missing;
  }

  /** @param key `NAMESPACE/NAME` */
  store(key: string): StoreResource | undefined {
    return this.#options.stores.store(key);
  }

  stores(): Iterable<[key: string, store: StoreResource]> {
    return this.#options.stores.stores();
  }

  deployments(store: string): readonly ObservedDeployment[] {
    return this.#deployments.of(store);
  }

  pods(store: string): readonly ObservedPod[] {
    return this.#pods.of(store);
  }

  /** Everything but pods; Deployments too. */
  objects(store: string): readonly ObservedObject[] {
    return [...this.#plainObjects.flatMap((objects) => objects.of(store)), ...this.deployments(store)];
  }

  #changed(store: string): void {
    for (const listener of this.#listeners) listener(store);
  }

  #informer<T>(
    resource: ResourceKind,
    map: (object: KubernetesObject) => T,
    selected: { labelSelector?: string; metadataOnly?: boolean },
  ): Informer<T> {
    const { api, onFailure } = this.#options;
    const selection = { resource, ...selected };
    const timings = { pageSize: PAGE_SIZE };
    const informer = new Informer<T>({ api, selection, map, onFailure, timings });
    this.#informers.push(informer);
    return informer;
  }
}
