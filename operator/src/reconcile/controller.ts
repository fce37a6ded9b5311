import type { Logger } from 'pino';
import { ClusterView } from '../cluster/cluster-view.ts';
import type { KubernetesApi } from '../kubernetes/api.ts';
import type { EventRecorder } from '../kubernetes/event-recorder.ts';
import { apiVersionOf, LARGE_PAYLOAD_STORES } from '../kubernetes/resources.ts';
import { WorkQueue } from '../kubernetes/work-queue.ts';
import type { Metrics } from '../operations/metrics.ts';
import type { PodSettings } from '../stores/desired/context.ts';
import type { StoreResource } from '../stores/read-store.ts';
import type { Transition } from '../stores/transitions.ts';
import { StoreReconciler } from './store-reconciler.ts';

/** stores reconciled at a time: enough that the API server is what limits, too few to crowd others out */
const CONCURRENCY = 10;

export interface ControllerParts {
  readonly api: KubernetesApi;
  readonly settings: PodSettings;
  readonly events: EventRecorder;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** Watches stores and what belongs to them, and reconciles each store for which something changed. */
export class Controller {
  readonly #view: ClusterView;
  readonly #reconciler: StoreReconciler;
  readonly #queue: WorkQueue;

  constructor({ api, settings, events, metrics, log }: ControllerParts) {
    this.#view = new ClusterView({
      api,
      changed: (store) => this.#queue.add(store),
      onFailure: (failure) => log.warn({ err: failure }, 'a watch failed; it begins again'),
    });
    const record = (store: StoreResource, { type, reason, note }: Transition) => {
      const { namespace, name } = store;
      log[type === 'Warning' ? 'warn' : 'info']({ store: `${namespace}/${name}`, reason }, note);
      events.record(referenceTo(store), { type, reason, note, action: 'Reconcile' });
    };
    const wake = (store: string, after: number) =>
      after === 0 ? this.#queue.add(store) : this.#queue.addAfter(store, after);
    this.#reconciler = new StoreReconciler({ api, view: this.#view, settings, record, wake });
    this.#queue = new WorkQueue({
      concurrency: CONCURRENCY,
      work: async (store, signal) => {
        const again = await this.#reconciler.reconcile(store, signal);
        if (Number.isFinite(again)) this.#queue.addAfter(store, again);
      },
      onDone: ({ key, waited, took, failure, retryIn }) => {
        metrics.recordReconcile(failure === undefined ? 'succeeded' : 'failed', waited, took);
        if (failure !== undefined && retryIn !== undefined)
          log.warn(
            { store: key, err: failure, retryIn },
            'a store could not be reconciled; it is tried again',
          );
      },
    });
    metrics.watchQueue(() => this.#queue.depth);
    metrics.watchStores((ready) => this.#countStores(ready));
  }

  /** Reconciles until the signal is aborted; resolves when what was under way has ended. */
  async run(signal: AbortSignal): Promise<void> {
    const viewing = this.#view.run(signal);
    // Before everything is known, what exists would look as if it were missing.
    await this.#view.synced.catch(() => {});
    await Promise.all([viewing, this.#queue.run(signal)]);
    await this.#reconciler.settled();
  }

  /** In words, while it cannot do its work. */
  get missing(): string | undefined {
    const states = this.#view.status();
    const failure = states.find((state) => state.failure !== undefined)?.failure;
    if (failure !== undefined) return failure;
    return states.every(({ synced }) => synced) ? undefined : 'the cluster is still being read';
  }

  #countStores(ready: boolean): number {
    let count = 0;
    for (const [, { status }] of this.#view.stores()) {
      const condition = status.conditions?.find(({ type }) => type === 'Ready');
      if ((condition?.status === 'True') === ready) count++;
    }
    return count;
  }
}

function referenceTo({ namespace, name, uid }: StoreResource) {
  const { kind } = LARGE_PAYLOAD_STORES;
  return { apiVersion: apiVersionOf(LARGE_PAYLOAD_STORES), kind, metadata: { namespace, name, uid } };
}
