import type { LargePayloadStoreStatus } from '@largepayload/crds';
import type { ClusterView } from '../cluster/cluster-view.ts';
import { ApiError, type KubernetesApi, type KubernetesObject } from '../kubernetes/api.ts';
import { apiVersionOf, LARGE_PAYLOAD_STORES } from '../kubernetes/resources.ts';
import { PodQuestions } from '../polling/poll-places.ts';
import type { PodSettings } from '../stores/desired/context.ts';
import { type DesiredObject, desiredObjects } from '../stores/desired-objects.ts';
import type { Component } from '../stores/names.ts';
import { componentName } from '../stores/names.ts';
import type { ObservedStore, Refusal } from '../stores/observed.ts';
import type { StoreResource } from '../stores/read-store.ts';
import { sameStatus } from '../stores/same-status.ts';
import { decideStatus } from '../stores/status.ts';
import { type Transition, transitions } from '../stores/transitions.ts';
import { creationQuestions, mountQuestions } from './event-questions.ts';
import { StoreMemory } from './store-memory.ts';

export interface ReconcilerParts {
  readonly api: KubernetesApi;
  readonly view: ClusterView;
  readonly settings: PodSettings;
  /** Records an Event on the store. Never throws. */
  readonly record: (store: StoreResource, transition: Transition) => void;
  /** Has a store reconciled after so many ms, as a pod of it has answered. */
  readonly wake: (key: string, after: number) => void;
}

/** ms before a store is looked at again though nothing changed */
const SHORTEST_PAUSE = 500;

/** Read everything, decide, apply, say how it is. */
export class StoreReconciler {
  readonly #parts: ReconcilerParts;
  readonly #memories = new Map<string, StoreMemory>();
  readonly #questions = new PodQuestions();

  constructor(parts: ReconcilerParts) {
    this.#parts = parts;
  }

  /**
   * Brings one store to what its resource says. May be called at any time, any number of times; never twice at once for one key.
   * Pods are asked beside it, and wake the store when they have answered.
   * @param key `NAMESPACE/NAME`
   * @returns ms after which to call again though nothing seems to change
   * @throws ApiError when something could not be written; the status was told all the same, if that could be
   */
  async reconcile(key: string, signal: AbortSignal): Promise<number> {
    const { view, settings } = this.#parts;
    const store = view.store(key);
    if (store === undefined) {
      // Kubernetes removes what was made for it.
      this.#forget(key);
      return Number.POSITIVE_INFINITY;
    }
    const memory = this.#memory(key, store);
    const desired = desiredObjects(store, settings);
    const pods = view.pods(key);
    memory.reports.look(pods, signal);
    // All of them: nothing of this reconciliation may go on beside the next one.
    const [written] = await Promise.allSettled([
      memory.writer.write(this.#observe(key, store, memory, []), desired, performance.now(), signal),
      memory.mountFailures.refresh(mountQuestions(pods), Date.now(), signal),
      memory.creationFailures.refresh(creationQuestions(view.deployments(key)), Date.now(), signal),
    ]);
    const tell = (refusals: readonly Refusal[]) =>
      this.#tell(this.#observe(key, store, memory, refusals), desired, memory, signal);
    if (written.status === 'rejected') {
      if (signal.aborted) throw written.reason;
      // What runs may have changed meanwhile. A status that cannot be written either has the same cause.
      await tell(memory.failures.failed(written.reason, desired, performance.now())).catch(() => {});
      throw written.reason;
    }
    memory.failures.succeeded();
    const toldAfter = await tell(written.value.refusals);
    return Math.max(
      SHORTEST_PAUSE,
      Math.min(
        written.value.lookAgainAfter,
        toldAfter,
        memory.reports.nextAt - performance.now(),
        Math.min(memory.mountFailures.nextAt, memory.creationFailures.nextAt) - Date.now(),
      ),
    );
  }

  /** Resolves when no pod is being asked any more, once the signal is aborted and nothing is reconciled. */
  async settled(): Promise<void> {
    await this.#questions.settled();
  }

  #memory(key: string, { uid }: StoreResource): StoreMemory {
    const known = this.#memories.get(key);
    if (known?.uid === uid) return known;
    this.#forget(key);
    const answered = (again: number) => this.#parts.wake(key, again);
    const memory = new StoreMemory(uid, this.#parts.api, { questions: this.#questions, answered });
    this.#memories.set(key, memory);
    return memory;
  }

  #forget(key: string): void {
    this.#memories.get(key)?.reports.forgetAll();
    this.#memories.delete(key);
  }

  #observe(
    key: string,
    store: StoreResource,
    memory: StoreMemory,
    refusals: readonly Refusal[],
  ): ObservedStore {
    const { view } = this.#parts;
    const { writer, reports, mountFailures, creationFailures } = memory;
    const deployment = (component: Component) =>
      view.deployments(key).find(({ name }) => name === componentName(store.name, component));
    return {
      store: { ...store, status: memory.status(store.status) },
      gateway: deployment('gateway'),
      reaper: deployment('reaper'),
      pods: view.pods(key),
      objects: [...view.objects(key), ...writer.foreignObjects],
      reports: reports.answers,
      mountFailures: mountFailures.messages,
      creationFailures: creationFailures.messages,
      refusals,
    };
  }

  /** @returns ms after which to tell, where pods are to be heard before; otherwise infinite */
  async #tell(
    observed: ObservedStore,
    desired: readonly DesiredObject[],
    memory: StoreMemory,
    signal: AbortSignal,
  ): Promise<number> {
    const patience = memory.patience();
    if (patience > 0) return patience;
    const { store } = observed;
    const decided = decideStatus({ observed, desired, now: Date.now() });
    if (sameStatus(store.status, decided)) return Number.POSITIVE_INFINITY;
    try {
      await this.#parts.api.applyStatus(LARGE_PAYLOAD_STORES, withStatus(store, decided), signal);
    } catch (error) {
      // It was deleted this moment.
      if (error instanceof ApiError && error.status === 404) return Number.POSITIVE_INFINITY;
      throw error;
    }
    memory.wrote(decided);
    for (const transition of transitions(store.status, decided)) this.#parts.record(store, transition);
    return Number.POSITIVE_INFINITY;
  }
}

function withStatus(
  { namespace, name, uid }: StoreResource,
  status: LargePayloadStoreStatus,
): KubernetesObject {
  return {
    apiVersion: apiVersionOf(LARGE_PAYLOAD_STORES),
    kind: LARGE_PAYLOAD_STORES.kind,
    // With the uid, a status is never given to a store that was made again under the same name.
    metadata: { namespace, name, uid },
    status,
  };
}
