import type { InjectionSettings } from '../../injection/sidecar.ts';
import type { KubernetesApi, KubernetesObject } from '../../kubernetes/api.ts';
import { Informer } from '../../kubernetes/informer.ts';
import { keyOf } from '../../kubernetes/object-cache.ts';
import { WorkQueue } from '../../kubernetes/work-queue.ts';
import { PAGE_SIZE, STILL_READ, type StoreView } from '../store-view.ts';
import { readPods, UNFINISHED_PODS } from './read-pods.ts';
import { mapSeenPod, type SeenPod } from './seen-pod.ts';
import { WorkerIndex } from './worker-index.ts';
import { type PodScope, scopeOf, sidecarOf, type WorkerPod, workerOf } from './worker-pod.ts';

/** namespaces whose pods are read at a time */
const CONCURRENCY = 2;
/** Pods that are made together are read together. */
const GATHER_MS = 300;

export interface WorkerPodsOptions {
  readonly api: KubernetesApi;
  readonly stores: StoreView;
  readonly settings: InjectionSettings;
  /** the operator's own, where no pod is in scope */
  readonly namespace: string;
  readonly onFailure: (failure: Error) => void;
}

/**
 * The pods that should have a sidecar, and what they have. The metadata of all pods is watched. Pods in scope are read in full once,
 * and again when their labels, those of their namespace, or their store have changed.
 */
export class WorkerPods {
  readonly #options: WorkerPodsOptions;
  readonly #seen: Informer<SeenPod>;
  readonly #read = new WorkerIndex();
  /** pods in scope that are still to be read, by namespace */
  readonly #unread = new Map<string, Set<string>>();
  readonly #queue: WorkQueue;
  readonly #listeners: ((store: string | undefined) => void)[] = [];
  /** what the verdict about its pods depends on, by the key of the store */
  readonly #facts = new Map<string, string>();
  readonly #firstRead = Promise.withResolvers<void>();
  /** namespaces of which no read has ended yet; `undefined`: the pods have not been listed */
  #awaited: Set<string> | undefined;

  constructor(options: WorkerPodsOptions) {
    this.#options = options;
    const { api, stores, onFailure } = options;
    const selection = { ...UNFINISHED_PODS, metadataOnly: true };
    const timings = { pageSize: PAGE_SIZE };
    this.#seen = new Informer({ api, selection, map: mapSeenPod, onFailure, timings });
    this.#seen.onChange((key) => this.#look(key));
    this.#queue = new WorkQueue({
      concurrency: CONCURRENCY,
      work: (namespace, signal) => this.#readNamespace(namespace, signal),
      onDone: ({ key, failure }) => {
        if (failure !== undefined) onFailure(failure);
        this.#awaited?.delete(key);
        if (this.#awaited?.size === 0) this.#firstRead.resolve();
      },
    });
    stores.onChange((store) => this.#storeChanged(store));
    stores.onNamespaceChange((namespace) => this.#namespaceChanged(namespace));
  }

  /** Called with the key of each store of whose pods something has changed; `undefined`: of pods whose label names no store. */
  onChange(listener: (store: string | undefined) => void): void {
    this.#listeners.push(listener);
  }

  /** Resolves once every pod in scope has been read, as far as it can be. */
  get firstRead(): Promise<void> {
    return this.#firstRead.promise;
  }

  /** Why the view is not up to date, as a sentence; `undefined`: it is. */
  get missing(): string | undefined {
    const { failure, synced } = this.#seen.status();
    return failure ?? (synced ? undefined : STILL_READ);
  }

  /** Keeps the view up to date until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    // Without stores and namespaces no pod would be in scope.
    await Promise.race([this.#options.stores.synced, aborted(signal)]).catch(() => {});
    const listed = this.#seen.synced.then(
      () => this.#listed(),
      () => {},
    );
    await Promise.all([this.#seen.run(signal), this.#queue.run(signal), listed]);
  }

  /** The pods that ask for a store, by key; `undefined`: those whose label names no store. */
  of(store: string | undefined): Iterable<readonly [key: string, pod: WorkerPod]> {
    return this.#read.of(store);
  }

  entries(): Iterable<[key: string, pod: WorkerPod]> {
    return this.#read.entries();
  }

  #listed(): void {
    this.#awaited = new Set(this.#unread.keys());
    if (this.#awaited.size === 0) this.#firstRead.resolve();
  }

  #scope(key: string): PodScope | undefined {
    const seen = this.#seen.get(key);
    if (seen === undefined || seen.deleting) return undefined;
    const { stores, namespace } = this.#options;
    return scopeOf({ ...seen, namespace: namespaceOf(key) }, stores, namespace);
  }

  #look(key: string): void {
    const namespace = namespaceOf(key);
    const unread = this.#unread.get(namespace);
    if (this.#scope(key) === undefined) {
      if (unread?.delete(key) && unread.size === 0) this.#unread.delete(namespace);
      this.#forget(key);
      return;
    }
    this.#unread.set(namespace, (unread ?? new Set()).add(key));
    this.#queue.addAfter(namespace, GATHER_MS);
  }

  #forget(key: string): void {
    const before = this.#read.delete(key);
    if (before !== undefined) this.#left(before.store);
  }

  #left(store: string | undefined): void {
    if (store !== undefined && !this.#read.has(store)) this.#facts.delete(store);
    this.#tell(store);
  }

  async #readNamespace(namespace: string, signal: AbortSignal): Promise<void> {
    const keys = [...(this.#unread.get(namespace) ?? [])];
    // What changes from now on is read again afterwards.
    this.#unread.delete(namespace);
    const names = keys.map((key) => key.slice(namespace.length + 1));
    try {
      // A pod that is not found has gone, which the watch reports, too.
      await readPods(this.#options.api, namespace, names, (pod) => this.#take(pod), signal);
    } catch (error) {
      for (const key of keys) this.#look(key);
      throw error;
    }
  }

  #take(pod: KubernetesObject): void {
    const key = keyOf(pod);
    const scope = this.#scope(key);
    // Of a pod with another UID the watch has more to say.
    if (scope === undefined || this.#seen.get(key)?.uid !== pod.metadata.uid) return;
    const before = this.#read.get(key);
    const worker = workerOf(pod, scope, this.#options.settings);
    this.#read.set(key, worker);
    if (worker.store !== undefined) this.#facts.set(worker.store, this.#factsOf(worker.store));
    if (before !== undefined && before.store !== worker.store) this.#left(before.store);
    this.#tell(worker.store);
  }

  #storeChanged(store: string): void {
    const known = this.#facts.get(store);
    if (known === undefined) return;
    const facts = this.#factsOf(store);
    if (facts === known) return;
    this.#facts.set(store, facts);
    for (const [key] of [...this.#read.of(store)]) this.#look(key);
  }

  /** Whether the store exists, the sidecar that a new pod would get, and who may use it. */
  #factsOf(store: string): string {
    const { stores, settings } = this.#options;
    const resource = stores.store(store);
    const hash = sidecarOf(resource, settings)?.annotation.hash;
    return JSON.stringify([resource !== undefined, hash, resource?.spec?.allowedNamespaces]);
  }

  #namespaceChanged(namespace: string): void {
    for (const [key] of this.#seen.entries()) if (key.startsWith(`${namespace}/`)) this.#look(key);
  }

  #tell(store: string | undefined): void {
    for (const listener of this.#listeners) listener(store);
  }
}

/** @param key `NAMESPACE/NAME` */
export function namespaceOf(key: string): string {
  return key.slice(0, key.indexOf('/'));
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
