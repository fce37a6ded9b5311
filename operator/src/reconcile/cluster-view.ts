import type { KubernetesApi, KubernetesObject, ResourceKind } from '../kubernetes/api.ts';
import { Mirror, type MirrorStatus } from '../kubernetes/mirror.ts';
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  LARGE_PAYLOAD_STORES,
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
import { readStore, type StoreResource } from '../stores/read-store.ts';
import { PerStore } from './per-store.ts';

const OURS = `app.kubernetes.io/managed-by=${MANAGED_BY}`;
/** objects asked for at a time: pages of 500 take 25 MiB more at a start with 1,000 stores */
const PAGE_SIZE = 100;
/** Nothing but their metadata is needed of these. */
const PLAIN_KINDS = [SERVICE_ACCOUNTS, CONFIG_MAPS, NETWORK_POLICIES, POD_DISRUPTION_BUDGETS, SERVICES];

export interface ClusterViewOptions {
  readonly api: KubernetesApi;
  /** Told the key, `NAMESPACE/NAME`, of each store for which something changed. */
  readonly changed: (store: string) => void;
  readonly onFailure: (failure: Error) => void;
}

/** All stores of the cluster and what was made for them, as last seen. */
export class ClusterView {
  readonly #mirrors: Pick<Mirror<unknown>, 'run' | 'status' | 'synced'>[] = [];
  readonly #options: ClusterViewOptions;
  readonly #stores: Mirror<StoreResource>;
  readonly #deployments: PerStore<ObservedDeployment>;
  readonly #pods: PerStore<ObservedPod>;
  readonly #plainObjects: readonly PerStore<ObservedObject>[];

  constructor(options: ClusterViewOptions) {
    this.#options = options;
    this.#stores = this.#mirror(LARGE_PAYLOAD_STORES, readStore, {});
    this.#stores.onChange(options.changed);
    const ours = { labelSelector: OURS };
    this.#deployments = new PerStore(this.#mirror(DEPLOYMENTS, mapDeployment, ours), options.changed);
    this.#pods = new PerStore(this.#mirror(PODS, mapPod, ours), options.changed);
    this.#plainObjects = PLAIN_KINDS.map((resource) => {
      const project = (object: KubernetesObject) => mapObject(resource, object);
      return new PerStore(this.#mirror(resource, project, { ...ours, metadataOnly: true }), options.changed);
    });
  }

  /** Resolves once everything has been listed. */
  get synced(): Promise<unknown> {
    return Promise.all(this.#mirrors.map(({ synced }) => synced));
  }

  /** Keeps the view up to date until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    await Promise.all(this.#mirrors.map((mirror) => mirror.run(signal)));
  }

  status(): readonly MirrorStatus[] {
    return this.#mirrors.map((mirror) => mirror.status());
  }

  /** @param key `NAMESPACE/NAME` */
  store(key: string): StoreResource | undefined {
    return this.#stores.get(key);
  }

  stores(): Iterable<[key: string, store: StoreResource]> {
    return this.#stores.entries();
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

  #mirror<T>(
    resource: ResourceKind,
    project: (object: KubernetesObject) => T,
    selected: { labelSelector?: string; metadataOnly?: boolean },
  ): Mirror<T> {
    const { api, onFailure } = this.#options;
    const selection = { resource, ...selected };
    const timings = { pageSize: PAGE_SIZE };
    const mirror = new Mirror<T>({ api, selection, project, onFailure, timings });
    this.#mirrors.push(mirror);
    return mirror;
  }
}
