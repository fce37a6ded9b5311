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
   * Time without an event after which a watch may be dead and begins again where it was. The API server sends a bookmark every
   * minute once an object of that kind has changed; before that, each silence costs a small request.
   */
  readonly silenceMs: number;
  readonly firstDelayMs: number;
  readonly longestDelayMs: number;
  /** how long a watch has to last for the next delay to be the first again */
  readonly healthyAfterMs: number;
}

const TIMINGS: InformerTimings = {
  pageSize: 500,
  watchSeconds: 600,
  silenceMs: 90_000,
  firstDelayMs: 500,
  longestDelayMs: 30_000,
  healthyAfterMs: 60_000,
};
const SILENCE = new Error('the API server said nothing for too long');
/** After so many failed or silent watches in a row the resourceVersion is no longer trusted, and a list follows. */
const WATCHES_BEFORE_LIST = 3;

export interface InformerOptions<T> {
  readonly api: KubernetesApi;
  readonly selection: Selection;
  /** Maps an API object to the plain data that is kept of it, which is compared deeply. */
  readonly map: (object: KubernetesObject) => T;
  /** Called with each failure; the informer goes on after it. */
  readonly onFailure?: (failure: Error) => void;
  readonly timings?: Partial<InformerTimings>;
}

/**
 * Keeps a copy of the objects of a selection up to date while `run` runs: by a list and then a watch, which begin again after each
 * failure. While the API server cannot be reached, the copy is as it was seen last. After a gap each change is reported once, from
 * the last known object to the present one; an object that was replaced by another of its name counts as changed.
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
    const { firstDelayMs: firstMs, longestDelayMs: longestMs } = this.#timings;
    this.#backoff = new Backoff({ firstMs, longestMs });
    this.synced = this.#sync.promise;
    // A rejection that no caller waits for must not end the process.
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

  /** `synced`: everything has been listed once; `failure`: a message, `undefined` while it works */
  status(): { readonly synced: boolean; readonly failure: string | undefined } {
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
    const { healthyAfterMs, longestDelayMs } = this.#timings;
    const began = performance.now();
    let retryAfterMs = 0;
    try {
      this.#resourceVersion ??= await this.#list(signal);
      await this.#watch(this.#resourceVersion, signal);
    } catch (error) {
      if (signal.aborted) return 0;
      this.#note(error as Error);
      if (error instanceof ApiError) retryAfterMs = (error.retryAfterSeconds ?? 0) * 1_000;
    }
    if (this.#failedWatches >= WATCHES_BEFORE_LIST) this.#listAnew();
    // Without a pause, watches that end in order but at once would follow one another without end.
    const isHealthy = performance.now() - began >= healthyAfterMs;
    if (isHealthy) this.#backoff.reset();
    if (isHealthy && this.#failure === undefined) return 0;
    return Math.max(this.#backoff.next(), Math.min(retryAfterMs, longestDelayMs));
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
    const { silenceMs, watchSeconds } = this.#timings;
    const timeoutSeconds = Math.ceil(watchSeconds * (0.5 + Math.random() / 2));
    const stop = new AbortController();
    const onAbort = () => stop.abort(signal.reason);
    signal.addEventListener('abort', onAbort);
    const timer = setTimeout(() => stop.abort(SILENCE), silenceMs);
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
      // If the server was not reached, the resourceVersion may still be good.
      if (isOpen || (error instanceof ApiError && error.status !== 0)) this.#failedWatches += 1;
      // A silent connection is no failure yet; the next watch fails if the server is away.
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
