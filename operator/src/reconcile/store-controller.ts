import type { Logger } from 'pino';
import type { ClusterView } from '../cluster/cluster-view.ts';
import type { KubernetesApi } from '../kubernetes/api.ts';
import type { EventRecorder } from '../kubernetes/event-recorder.ts';
import { WorkQueue } from '../kubernetes/work-queue.ts';
import type { Metrics } from '../operations/metrics.ts';
import type { Poller } from '../polling/poller.ts';
import type { PodSettings } from '../stores/desired/context.ts';
import type { StoreResource } from '../stores/read-store.ts';
import type { Transition } from '../stores/transitions.ts';
import type { CertificateController } from './certificates/certificate-controller.ts';
import { referenceTo, StatusWriter } from './status-writer.ts';
import { StoreReconciler } from './store-reconciler.ts';

/** stores reconciled at a time: enough that the API server is the limit, too few to crowd others out */
const CONCURRENCY = 10;

export interface ControllerParts {
  readonly api: KubernetesApi;
  readonly cluster: ClusterView;
  readonly poller: Poller;
  readonly certificates: CertificateController;
  readonly settings: PodSettings;
  readonly events: EventRecorder;
  readonly metrics: Metrics;
  readonly log: Logger;
}

/** Reconciles each store for which something has changed in the cluster, or a poll has shown something new. */
export class StoreController {
  readonly #cluster: ClusterView;
  readonly #queue: WorkQueue;

  constructor({ api, cluster, poller, certificates, settings, events, metrics, log }: ControllerParts) {
    this.#cluster = cluster;
    const record = (store: StoreResource, transition: Transition) => {
      const { type, reason, note } = transition;
      log[type === 'Warning' ? 'warn' : 'info']({ store: `${store.namespace}/${store.name}`, reason }, note);
      events.record(referenceTo(store), { ...transition, action: 'Reconcile' });
    };
    const status = new StatusWriter({ api, record });
    const reconciler = new StoreReconciler({ api, cluster, poller, certificates, status, settings });
    this.#queue = new WorkQueue({
      concurrency: CONCURRENCY,
      work: async (store, signal) => {
        const again = await reconciler.reconcile(store, signal);
        if (Number.isFinite(again)) this.#queue.addAfter(store, again);
      },
      onDone: ({ key, waitedSeconds, tookSeconds, failure, retryInMs }) => {
        metrics.recordReconcile(failure === undefined ? 'succeeded' : 'failed', waitedSeconds, tookSeconds);
        if (failure !== undefined && retryInMs !== undefined)
          log.warn(
            { store: key, err: failure, retryIn: retryInMs },
            'a store could not be reconciled; it is tried again',
          );
      },
    });
    cluster.onChange((store) => this.#queue.add(store));
    poller.onNews((store) => this.#queue.add(store));
    certificates.onChange((store) => this.#queue.add(store));
    metrics.watchQueue(() => this.#queue.depth);
    metrics.watchStores(() => [...cluster.stores()].map(([, { status }]) => status));
  }

  /** Reconciles until the signal is aborted, beside view and poller; resolves when the last reconciliation has ended. */
  async run(signal: AbortSignal): Promise<void> {
    // Before everything is listed, objects that exist would seem to be missing.
    await this.#cluster.synced.catch(() => {});
    await this.#queue.run(signal);
  }
}
