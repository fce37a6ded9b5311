import { setTimeout as sleep } from 'node:timers/promises';
import {
  ApiError,
  type KubernetesApi,
  type KubernetesObject,
  type Selection,
  type WatchEvent,
} from './api.ts';
import { Backoff } from './backoff.ts';
import { type ChangeListener, keyOf, ObjectCache } from './object-cache.ts';

export interface InformerTimings {
  /** objects asked for at a time */
  readonly pageSize: number;
  /** s after which the server ends a watch: between half of it and all */
  readonly watchSeconds: number;
  /**
   * ms without an event after which a watch may be dead and is begun again where it was. The API server sends a
   * bookmark every minute, once there was any change of that kind of object; before, this costs a small request each.
   */
  readonly silence: number;
  /** ms */
  readonly firstDelay: number;
  /** ms */
  readonly longestDelay: number;
  /** ms that a watch has to last for the next delay to be the first again */
  readonly healthyAfter: number;
}

const TIMINGS: InformerTimings = {
  pageSize: 500,
  watchSeconds: 600,
  silence: 90_000,
  firstDelay: 500,
  longestDelay: 30_000,
  healthyAfter: 60_000,
};
const SILENCE = new Error('the API server said nothing for too long');
/** Failed watches in a row, or silent ones, after which the place where they begin is no longer trusted. */
const WATCHES_BEFORE_LIST = 3;

export interface InformerOptions<T> {
  readonly api: KubernetesApi;
  readonly selection: Selection;
  /** What is kept of an object. It must be plain data; two of them are compared deeply. */
  readonly map: (object: KubernetesObject) => T;
  /** Told of everything that went wrong and was gone over. */
  readonly onFailure?: (failure: Error) => void;
  readonly timings?: Partial<InformerTimings>;
}

export interface InformerStatus {
  /** Everything has been listed once. */
  readonly synced: boolean;
  /** in words; `undefined` while it works */
  readonly failure: string | undefined;
}

/**
 * What the API server has of a selection, kept up to date as long as `run` runs, by a list and then a watch, begun
 * again whatever happens. While the API server cannot be reached, it is what was seen last. After a gap, changes are
 * reported once, from what was known to what is; an object that was replaced by another of its name counts as changed.
 */
export class Informer<T> {
  /** Everything has been listed once. Rejects when `run` ends before. */
  readonly synced: Promise<void>;
  readonly #options: InformerOptions<T>;
  readonly #timings: InformerTimings;
  readonly #onFailure: (failure: Error) => void;
  readonly #objects: ObjectCache<T>;
  readonly #backoff: Backoff;
  readonly #sync = Promise.withResolvers<void>();
  #isSynced = false;
  #pageSize: number;
  /** Where the next watch begins; `undefined`: a list has to come first. */
  #resourceVersion: string | undefined;
  /** in a row, without an event */
  #failedWatches = 0;
  #failure: string | undefined;

  constructor(options: InformerOptions<T>) {
    this.#options = options;
    this.#timings = { ...TIMINGS, ...options.timings };
    this.#onFailure = options.onFailure ?? (() => {});
    this.#objects = new ObjectCache(options.map, this.#onFailure);
    this.#pageSize = this.#timings.pageSize;
    const { firstDelay: first, longestDelay: longest } = this.#timings;
    this.#backoff = new Backoff({ first, longest });
    this.synced = this.#sync.promise;
    // Nobody has to wait for it.
    this.synced.catch(() => {});
  }

  /** @param key `namespace/name` */
  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  get size(): number {
    return this.#objects.size;
  }

  entries(): Iterable<[key: string, value: T]> {
    return this.#objects.entries();
  }

  /** Called after the informer has changed. What a listener throws goes to `onFailure`. */
  onChange(listener: ChangeListener<T>): void {
    this.#objects.onChange(listener);
  }

  status(): InformerStatus {
    return { synced: this.#isSynced, failure: this.#failure };
  }

  /** Resolves once the signal is aborted, and not before. */
  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const delay = await this.#round(signal);
      await sleep(delay, undefined, { signal }).catch(() => {});
    }
    this.#sync.reject(signal.reason);
  }

  /** Brings the informer up to date and keeps it so until something ends that. @returns ms to wait */
  async #round(signal: AbortSignal): Promise<number> {
    const { healthyAfter, longestDelay } = this.#timings;
    const began = performance.now();
    let retryAfter = 0;
    try {
      this.#resourceVersion ??= await this.#list(signal);
      await this.#watch(this.#resourceVersion, signal);
    } catch (error) {
      if (signal.aborted) return 0;
      this.#note(error as Error);
      if (error instanceof ApiError) retryAfter = (error.retryAfter ?? 0) * 1_000;
    }
    if (this.#failedWatches >= WATCHES_BEFORE_LIST) this.#listAnew();
    // A watch that ends in order, but at once, would begin again at once for ever.
    const isHealthy = performance.now() - began >= healthyAfter;
    if (isHealthy) this.#backoff.reset();
    if (isHealthy && this.#failure === undefined) return 0;
    return Math.max(this.#backoff.next(), Math.min(retryAfter, longestDelay));
  }

  #note(failure: Error): void {
    this.#failure = failure.message;
    if (failure instanceof ApiError && failure.reason === 'TooLarge') {
      this.#pageSize = Math.max(1, this.#pageSize >> 1);
    }
    if (failure instanceof ApiError && failure.status === 410) this.#listAnew();
    this.#onFailure(failure);
  }

  #listAnew(): void {
    this.#resourceVersion = undefined;
    this.#failedWatches = 0;
  }

  async #list(signal: AbortSignal): Promise<string> {
    const { api, selection } = this.#options;
    const found = new Set<string>();
    let from: string | undefined;
    for (;;) {
      const page = await api.list(selection, { limit: this.#pageSize, continue: from }, signal);
      this.#failure = undefined;
      for (const object of page.items) found.add(this.#objects.put(object));
      from = page.continue;
      if (from !== undefined) continue;
      this.#objects.retain(found);
      this.#isSynced = true;
      this.#sync.resolve();
      return page.resourceVersion;
    }
  }

  async #watch(resourceVersion: string, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { silence, watchSeconds } = this.#timings;
    const timeoutSeconds = Math.ceil(watchSeconds * (0.5 + Math.random() / 2));
    const stop = new AbortController();
    const onAbort = () => stop.abort(signal.reason);
    signal.addEventListener('abort', onAbort);
    const timer = setTimeout(() => stop.abort(SILENCE), silence);
    let isOpen = false;
    const onOpen = () => {
      isOpen = true;
      timer.refresh();
      this.#failure = undefined;
    };
    const { api, selection } = this.#options;
    const from = { resourceVersion, timeoutSeconds, onOpen };
    try {
      for await (const event of api.watch(selection, from, stop.signal)) {
        timer.refresh();
        this.#failure = undefined;
        this.#take(event);
      }
    } catch (error) {
      // One that could not be reached says nothing about where to begin.
      if (isOpen || (error instanceof ApiError && error.status !== 0)) this.#failedWatches += 1;
      // What is wrong, if anything is, the next watch will say.
      if (error !== SILENCE || !isOpen) throw error;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }

  #take({ type, object }: WatchEvent): void {
    if (type === 'DELETED') this.#objects.remove(keyOf(object));
    else if (type !== 'BOOKMARK') this.#objects.put(object);
    this.#resourceVersion = object.metadata.resourceVersion;
    this.#failedWatches = 0;
  }
}
