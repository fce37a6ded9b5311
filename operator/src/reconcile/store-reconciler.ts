import type { LargePayloadStoreStatus } from '@largepayload/crds';
import { ApiError, type KubernetesApi, type KubernetesObject } from '../kubernetes/api.ts';
import { apiVersionOf, LARGE_PAYLOAD_STORES } from '../kubernetes/resources.ts';
import type { PodSettings } from '../stores/desired/context.ts';
import { desiredObjects } from '../stores/desired-objects.ts';
import type { Component } from '../stores/names.ts';
import { componentName } from '../stores/names.ts';
import type { ObservedStore } from '../stores/observed.ts';
import type { StoreResource } from '../stores/read-store.ts';
import { sameStatus } from '../stores/same-status.ts';
import { decideStatus } from '../stores/status.ts';
import { type Transition, transitions } from '../stores/transitions.ts';
import type { ClusterView } from './cluster-view.ts';
import { creationQuestions, mountQuestions } from './event-questions.ts';
import { ExplainingEvents } from './explaining-events.ts';
import { PodReports } from './pod-reports.ts';
import { StoreWriter } from './store-writer.ts';

export interface ReconcilerParts {
  readonly api: KubernetesApi;
  readonly view: ClusterView;
  readonly settings: PodSettings;
  /** Records an Event on the store. Never throws. */
  readonly record: (store: StoreResource, transition: Transition) => void;
}

/** ms before a store is looked at again though nothing changed */
const SHORTEST_PAUSE = 500;
/** ms */
const VIEW_LAG = 5_000;

/** What is remembered of one store between two looks at it; nothing that could not be found out anew. */
class StoreMemory {
  readonly uid: string;
  readonly writer: StoreWriter;
  readonly reports = new PodReports();
  readonly mountFailures: ExplainingEvents;
  readonly creationFailures: ExplainingEvents;
  #written: { readonly status: LargePayloadStoreStatus; readonly at: number } | undefined;

  constructor(uid: string, api: KubernetesApi) {
    this.uid = uid;
    this.writer = new StoreWriter(api);
    this.mountFailures = new ExplainingEvents(api);
    this.creationFailures = new ExplainingEvents(api);
  }

  /** As written last, while the view may not show it yet; then as the view shows it, whoever wrote that. */
  status(shown: LargePayloadStoreStatus): LargePayloadStoreStatus {
    const isRecent = this.#written !== undefined && performance.now() - this.#written.at < VIEW_LAG;
    return isRecent ? (this.#written?.status ?? shown) : shown;
  }

  wrote(status: LargePayloadStoreStatus): void {
    this.#written = { status, at: performance.now() };
  }
}

/** Read everything, decide, apply, say how it is. */
export class StoreReconciler {
  readonly #parts: ReconcilerParts;
  readonly #memories = new Map<string, StoreMemory>();

  constructor(parts: ReconcilerParts) {
    this.#parts = parts;
  }

  /**
   * Brings one store to what its resource says. May be called at any time, any number of times; never twice at once for one key.
   * @param key `NAMESPACE/NAME`
   * @returns ms after which to call again though nothing seems to change
   * @throws ApiError
   */
  async reconcile(key: string, signal: AbortSignal): Promise<number> {
    const { view, settings } = this.#parts;
    const store = view.store(key);
    if (store === undefined) {
      // Kubernetes removes what was made for it.
      this.#memories.delete(key);
      return Number.POSITIVE_INFINITY;
    }
    const memory = this.#memory(key, store);
    const desired = desiredObjects(store, settings);
    const pods = view.pods(key);
    const [written] = await Promise.allSettled([
      memory.writer.write(this.#observe(key, store, memory, []), desired, performance.now(), signal),
      memory.reports.refresh(pods, performance.now(), signal),
      memory.mountFailures.refresh(mountQuestions(pods), Date.now(), signal),
      memory.creationFailures.refresh(creationQuestions(view.deployments(key)), Date.now(), signal),
    ]);
    // Only now: nothing of this reconciliation may go on beside the next one.
    if (written.status === 'rejected') throw written.reason;
    const { refusals, lookAgainAfter } = written.value;
    const observed = this.#observe(key, store, memory, refusals);
    await this.#tell(store, memory, decideStatus({ observed, desired, now: Date.now() }), signal);
    return Math.max(
      SHORTEST_PAUSE,
      Math.min(
        lookAgainAfter,
        memory.reports.nextAt - performance.now(),
        Math.min(memory.mountFailures.nextAt, memory.creationFailures.nextAt) - Date.now(),
      ),
    );
  }

  #memory(key: string, { uid }: StoreResource): StoreMemory {
    const known = this.#memories.get(key);
    if (known?.uid === uid) return known;
    const memory = new StoreMemory(uid, this.#parts.api);
    this.#memories.set(key, memory);
    return memory;
  }

  #observe(
    key: string,
    store: StoreResource,
    memory: StoreMemory,
    refusals: ObservedStore['refusals'],
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

  async #tell(
    store: StoreResource,
    memory: StoreMemory,
    decided: LargePayloadStoreStatus,
    signal: AbortSignal,
  ): Promise<void> {
    const before = memory.status(store.status);
    if (sameStatus(before, decided)) return;
    try {
      await this.#parts.api.applyStatus(LARGE_PAYLOAD_STORES, withStatus(store, decided), signal);
    } catch (error) {
      // It was deleted this moment.
      if (error instanceof ApiError && error.status === 404) return;
      throw error;
    }
    memory.wrote(decided);
    for (const transition of transitions(before, decided)) this.#parts.record(store, transition);
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
