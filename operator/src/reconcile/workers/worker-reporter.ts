import type { Logger } from 'pino';
import type { StoreView } from '../../cluster/store-view.ts';
import { summaryOf } from '../../cluster/workers/summary.ts';
import type { WorkerPods } from '../../cluster/workers/worker-pods.ts';
import type { KubernetesApi } from '../../kubernetes/api.ts';
import type { EventRecorder } from '../../kubernetes/event-recorder.ts';
import { WorkQueue } from '../../kubernetes/work-queue.ts';
import type { StoreResource } from '../../stores/read-store.ts';
import type { Transition } from '../../stores/transitions.ts';
import { decideWorkerStatus } from '../../stores/workers/worker-status.ts';
import { referenceTo, StatusWriter } from '../status-writer.ts';
import { StrayWorkers } from './stray-workers.ts';

/** Owns `pods` and `InjectionCurrent` in the status of stores. */
const FIELD_MANAGER = 'large-payload-operator-injection';
/** stores at a time */
const CONCURRENCY = 5;
/** Pods that are made together are reported together. */
const GATHER_MS = 1_000;
/** A rollout changes pods for minutes, and each write of a status reaches all watchers. */
const BETWEEN_REPORTS_MS = 5_000;
/** A webhook that has just begun, or a policy that was written this moment, is no problem. */
const PROBLEM_AFTER_MS = 10_000;
/** Before a store is looked at again though nothing has changed. */
const RECHECK_MS = { withProblem: 10_000, otherwise: 600_000 };
/** A key of the queue that is the key of no store: pods that no store can report. */
const STRAY = '(stray)';

export interface WorkerReporterParts {
  readonly api: KubernetesApi;
  readonly stores: StoreView;
  /** `undefined`: injection is off */
  readonly workers: WorkerPods | undefined;
  /** Why new pods get no sidecar of a store, for people. @param store its key */
  readonly problemOf: (store: string) => string | undefined;
  /** Whether eviction did not help the pods of the owner with this key. */
  readonly isLeftAlone: (owner: string) => boolean;
  readonly events: Pick<EventRecorder, 'record'>;
  readonly log: Logger;
}

/** Writes into the status of each store what its worker pods have. */
export class WorkerReporter {
  readonly #parts: WorkerReporterParts;
  readonly #status: StatusWriter;
  readonly #queue: WorkQueue;
  /** when each store was reported last (monotonic ms), by its key */
  readonly #reported = new Map<string, { readonly uid: string; readonly atMs: number }>();
  /** since when each store has a problem (monotonic ms) */
  readonly #problems = new Map<string, number>();

  constructor(parts: WorkerReporterParts) {
    this.#parts = parts;
    const { api, stores, workers, events, log } = parts;
    const record = (store: StoreResource, transition: Transition) => {
      const { type, reason, note } = transition;
      log[type === 'Warning' ? 'warn' : 'info']({ store: `${store.namespace}/${store.name}`, reason }, note);
      events.record(referenceTo(store), { ...transition, action: 'Inject' });
    };
    this.#status = new StatusWriter({ api, fieldManager: FIELD_MANAGER, record });
    const stray = new StrayWorkers(events);
    this.#queue = new WorkQueue({
      concurrency: CONCURRENCY,
      work: async (key, signal) => {
        if (key !== STRAY) return await this.#report(key, signal);
        this.#reported.set(STRAY, { uid: '', atMs: performance.now() });
        if (workers !== undefined && stray.record(workers.entries())) this.#changed(STRAY);
      },
      onDone: ({ key, failure, retryInMs }) => {
        if (failure !== undefined && retryInMs !== undefined)
          log.warn(
            { store: key, err: failure, retryIn: retryInMs },
            'the workers of a store could not be reported; it is tried again',
          );
      },
    });
    stores.onChange((store) => this.#changed(store));
    workers?.onChange((store) => {
      if (store !== undefined && stores.store(store) !== undefined) this.#changed(store);
      this.#changed(STRAY);
    });
  }

  /** To be called when the problem of a store, or what was left alone, has changed. @param store its key; absent: all stores */
  changed(store?: string): void {
    if (store !== undefined) this.#changed(store);
    else for (const [key] of this.#parts.stores.stores()) this.#changed(key);
  }

  /** Reports until the signal is aborted, beside the views. */
  async run(signal: AbortSignal): Promise<void> {
    const { stores, workers } = this.#parts;
    const aborted = new Promise((resolve) => signal.addEventListener('abort', resolve, { once: true }));
    const isRead = Promise.all([stores.synced, workers?.firstRead]);
    // Before everything is read, workers would seem to be missing.
    await Promise.race([isRead, aborted]).catch(() => {});
    for (const key of [...[...stores.stores()].map(([store]) => store), STRAY]) this.#queue.add(key);
    await this.#queue.run(signal);
  }

  #changed(key: string): void {
    const since = performance.now() - (this.#reported.get(key)?.atMs ?? Number.NEGATIVE_INFINITY);
    this.#queue.addAfter(key, Math.max(GATHER_MS, BETWEEN_REPORTS_MS - since));
  }

  async #report(key: string, signal: AbortSignal): Promise<void> {
    const { stores, workers, problemOf, isLeftAlone } = this.#parts;
    const store = stores.store(key);
    if (store === undefined) {
      this.#status.forget(this.#reported.get(key)?.uid ?? '');
      this.#reported.delete(key);
      this.#problems.delete(key);
      return;
    }
    this.#reported.set(key, { uid: store.uid, atMs: performance.now() });
    const known = { ...store, status: this.#status.statusOf(store) };
    const status = decideWorkerStatus({
      store: known,
      workers: workers === undefined ? 'off' : summaryOf(workers.of(key), isLeftAlone),
      problem: this.#lasting(key, problemOf(key)),
      now: Date.now(),
    });
    await this.#status.write(known, status, signal);
    const { withProblem, otherwise } = RECHECK_MS;
    this.#queue.addAfter(key, this.#problems.has(key) ? withProblem : otherwise);
  }

  #lasting(key: string, problem: string | undefined): string | undefined {
    if (problem === undefined) {
      this.#problems.delete(key);
      return undefined;
    }
    const since = this.#problems.get(key) ?? performance.now();
    this.#problems.set(key, since);
    return performance.now() - since < PROBLEM_AFTER_MS ? undefined : problem;
  }
}
