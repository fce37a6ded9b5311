import { once } from 'node:events';
import type { ObservedPod, PodReport } from '../stores/observed.ts';
import { PollPlaces } from './poll-places.ts';
import { type SharedPolls, StorePolls } from './store-polls.ts';

/** Polls the pods of all stores beside the reconciliations, which never wait for it. */
export class Poller {
  readonly #shared: SharedPolls = { places: new PollPlaces(), held: 0 };
  readonly #stores = new Map<string, StorePolls>();
  readonly #listeners: ((store: string) => void)[] = [];
  #isOver = false;

  /** Called with the key, `NAMESPACE/NAME`, of each store of which a poll has shown something new, or a pod that is not well. */
  onNews(listener: (store: string) => void): void {
    this.#listeners.push(listener);
  }

  /** Resolves once the signal is aborted and no poll is under way. */
  async run(signal: AbortSignal): Promise<void> {
    if (!signal.aborted) await once(signal, 'abort');
    this.#isOver = true;
    for (const store of this.#stores.keys()) this.forget(store);
    await this.#shared.places.settled();
  }

  /** Polls these pods of a store from now on, and no others. */
  watch(store: string, pods: readonly ObservedPod[]): void {
    if (this.#isOver) return;
    let polls = this.#stores.get(store);
    if (polls === undefined) {
      polls = new StorePolls(this.#shared, () => {
        for (const listener of this.#listeners) listener(store);
      });
      this.#stores.set(store, polls);
    }
    polls.watch(pods);
  }

  /** by UID of the pod; of pods that were polled */
  reports(store: string): ReadonlyMap<string, PodReport> {
    return this.#stores.get(store)?.reports ?? new Map();
  }

  /** ms for which the status of a store should wait for polls; 0: not at all */
  patienceMs(store: string): number {
    return this.#stores.get(store)?.patienceMs() ?? 0;
  }

  forget(store: string): void {
    this.#stores.get(store)?.watch([]);
    this.#stores.delete(store);
  }
}
