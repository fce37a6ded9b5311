import { setTimeout as sleep } from 'node:timers/promises';
import { at, listAt } from '@largepayload/crds';
import { API_VERSION, KIND } from '@largepayload/crds/identity';
import { ApiError, type KubernetesApi, type KubernetesObject } from '../src/kubernetes/api.ts';
import { Informer } from '../src/kubernetes/informer.ts';
import {
  CONFIG_MAPS,
  DEPLOYMENTS,
  LARGE_PAYLOAD_STORES,
  NETWORK_POLICIES,
  POD_DISRUPTION_BUDGETS,
  SERVICE_ACCOUNTS,
  SERVICES,
} from '../src/kubernetes/resources.ts';
import { MANAGED_BY } from '../src/stores/labels.ts';
import { mapDeployment } from '../src/stores/mapping/deployment.ts';

/** What a store in S3 with a TTL and no accounts of its own is made of. */
const OBJECTS = new Map([
  [SERVICE_ACCOUNTS, 2],
  [CONFIG_MAPS, 1],
  [NETWORK_POLICIES, 2],
  [POD_DISRUPTION_BUDGETS, 1],
  [SERVICES, 1],
  [DEPLOYMENTS, 2],
]);
const OURS = `app.kubernetes.io/managed-by=${MANAGED_BY}`;
const NAMESPACES = 10;
const AT_A_TIME = 8;

/** A number of stores in ten namespaces, watched beside the operator. */
export class Fleet implements AsyncDisposable {
  readonly #api: KubernetesApi;
  readonly #stop = new AbortController();
  readonly #objects: readonly { informer: Informer<unknown>; each: number }[];
  readonly #stores: Informer<Reported>;
  readonly #deployments: Informer<string | undefined>;
  readonly #running: Promise<unknown>;
  readonly size: number;

  constructor(api: KubernetesApi, size: number) {
    this.#api = api;
    this.size = size;
    const ours = { labelSelector: OURS };
    this.#objects = [...OBJECTS].map(([resource, each]) => {
      const selection = { resource, ...ours, metadataOnly: true };
      return { each, informer: new Informer<unknown>({ api, selection, map: () => true }) };
    });
    this.#stores = new Informer({ api, selection: { resource: LARGE_PAYLOAD_STORES }, map: reportedOf });
    this.#deployments = new Informer({
      api,
      selection: { resource: DEPLOYMENTS, ...ours },
      map: (object) => mapDeployment(object).configHash,
    });
    const informers = [...this.#objects.map(({ informer }) => informer), this.#stores, this.#deployments];
    for (const { synced } of informers) synced.catch(() => {});
    this.#running = Promise.all(informers.map((informer) => informer.run(this.#stop.signal)));
  }

  async create(): Promise<void> {
    for (let index = 0; index < NAMESPACES; index++) await this.#makeNamespace(`bench-${index}`);
    let next = 0;
    const work = async () => {
      while (next < this.size) await this.#makeStore(next++);
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, work));
  }

  /** Resolves when every object of every store exists, and every store has a status. @throws Error after `limit` ms */
  async settled(limit: number): Promise<void> {
    const end = performance.now() + limit;
    while (this.#missing() !== undefined) {
      if (performance.now() > end) throw new Error(`after ${limit / 1_000} s: ${this.#missing()}`);
      await sleep(20);
    }
  }

  /** Resolves when every store is Ready. @throws Error after `limit` ms */
  async ready(limit: number): Promise<void> {
    const end = performance.now() + limit;
    for (;;) {
      const count = [...this.#stores.entries()].filter(([, reported]) => reported === 'ready').length;
      if (count === this.size) return;
      if (performance.now() > end)
        throw new Error(`after ${limit / 1_000} s: ${count} of ${this.size} are Ready`);
      await sleep(20);
    }
  }

  /** Edits what pods of a store read. @returns ms from the edit until its gateway's Deployment has changed */
  async edit(index: number, maxPayloadSize: string): Promise<number> {
    const { namespace, name } = nameOf(index);
    const key = `${namespace}/${name}-gateway`;
    const { signal } = this.#stop;
    const changed = Promise.withResolvers<number>();
    const before = this.#deployments.get(key);
    this.#deployments.onChange((of, _, after) => {
      if (of === key && after !== before) changed.resolve(performance.now());
    });
    for (;;) {
      const store = await this.#api.get({ resource: LARGE_PAYLOAD_STORES, namespace, name }, signal);
      if (store === undefined) throw new Error(`there is no ${namespace}/${name}`);
      const edited = { ...store, spec: { ...(store.spec as object), maxPayloadSize } };
      const began = performance.now();
      try {
        await this.#api.replace(LARGE_PAYLOAD_STORES, edited, signal);
        return (await changed.promise) - began;
      } catch (error) {
        // The operator has written its status in between.
        if (!(error instanceof ApiError) || error.reason !== 'Conflict') throw error;
      }
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  #missing(): string | undefined {
    for (const { informer, each } of this.#objects) {
      if (informer.size < each * this.size)
        return `${informer.size} of ${each * this.size} objects of a kind`;
    }
    const reported = [...this.#stores.entries()].filter(([, value]) => value !== 'nothing').length;
    return reported < this.size ? `${reported} of ${this.size} statuses` : undefined;
  }

  async #makeNamespace(name: string): Promise<void> {
    const resource = { group: '', version: 'v1', kind: 'Namespace', plural: 'namespaces' };
    const object = { apiVersion: 'v1', kind: 'Namespace', metadata: { name } };
    await this.#api.create(resource, object, this.#stop.signal);
  }

  async #makeStore(index: number): Promise<void> {
    const spec = {
      storage: { s3: { bucket: 'payloads', prefix: `store-${index}/`, region: 'eu-central-1' } },
      retention: { ttl: '30d' },
      gateway: { credentialsSecretRef: { name: 'gateway-credentials' } },
      reaper: { credentialsSecretRef: { name: 'reaper-credentials' } },
    };
    const object = { apiVersion: API_VERSION, kind: KIND, metadata: nameOf(index), spec };
    await this.#api.create(LARGE_PAYLOAD_STORES, object, this.#stop.signal);
  }
}

function nameOf(index: number): { namespace: string; name: string } {
  return { namespace: `bench-${index % NAMESPACES}`, name: `store-${index}` };
}

/** What the status has about the present state of the store. */
type Reported = 'nothing' | 'something' | 'ready';

function reportedOf({ metadata, status }: KubernetesObject): Reported {
  if (at(status, 'observedGeneration') !== metadata.generation) return 'nothing';
  const ready = listAt(status, 'conditions').find(({ type }) => type === 'Ready');
  return ready?.status === 'True' ? 'ready' : 'something';
}
