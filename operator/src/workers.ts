import type { Logger } from 'pino';
import type { StoreView } from './cluster/store-view.ts';
import { WorkerPods } from './cluster/workers/worker-pods.ts';
import { injectionSettings } from './injection-settings.ts';
import type { KubernetesApi } from './kubernetes/api.ts';
import type { EventRecorder } from './kubernetes/event-recorder.ts';
import type { Metrics } from './operations/metrics.ts';
import { WorkerMetrics } from './operations/worker-metrics.ts';
import type { OperatorOptions } from './options.ts';
import { EvictionRecords } from './reconcile/eviction/eviction-records.ts';
import { Healer } from './reconcile/eviction/healer.ts';
import { WorkerReporter } from './reconcile/workers/worker-reporter.ts';

export interface WorkersContext {
  readonly api: KubernetesApi;
  readonly options: OperatorOptions;
  readonly version: string;
  readonly view: StoreView;
  readonly events: EventRecorder;
  readonly metrics: Metrics;
  readonly log: Logger;
  /** of this process: the pod's name */
  readonly instance: string;
  /** ms since the epoch, by the clock of the API server */
  readonly now: () => number;
  /** Why new pods get no sidecar of a store, for people. @param store its key */
  readonly problemOf: (store: string) => string | undefined;
  /** Whether new pods get a sidecar of a store, as far as is known. @param store its key */
  readonly isInjecting: (store: string) => boolean;
}

export interface Workers {
  /** Why the workers are not known, as a sentence; `undefined`: they are. */
  readonly missing: string | undefined;
  /** To be called when `problemOf` has changed. @param store its key; absent: all stores */
  problemChanged(store?: string): void;
  run(signal: AbortSignal): Promise<void>;
}

/** What the leader does about the pods that should have a sidecar: it reports them, and heals them where it may. */
export function watchWorkers(context: WorkersContext): Workers {
  const { api, options, version, view, events, metrics, log, instance, now, problemOf, isInjecting } =
    context;
  const { injection, namespace } = options;
  const base = { api, stores: view, problemOf, log };
  if (injection === undefined) {
    const reporter = new WorkerReporter({ ...base, events, workers: undefined, isLeftAlone: () => false });
    return {
      missing: undefined,
      problemChanged: () => {},
      run: (signal) => reporter.run(signal),
    };
  }
  const { evictMissed: mode } = injection;
  const settings = injectionSettings(options, injection, version);
  const onFailure = (err: Error) => log.warn({ err }, 'worker pods could not be read; it is tried again');
  const workers = new WorkerPods({ api, stores: view, settings, namespace, onFailure });
  const counted = new WorkerMetrics(metrics.registry, () => statesOf(workers));
  const records = new EvictionRecords(api, instance);
  const onResult = counted.recordEviction.bind(counted);
  const healer =
    mode === 'Never'
      ? undefined
      : new Healer({ ...base, isInjecting, workers, records, mode, now, onResult });
  const isLeftAlone = (owner: string) => healer?.isLeftAlone(owner) === true;
  const reporter = new WorkerReporter({ ...base, events, workers, isLeftAlone });
  healer?.onChange(() => reporter.changed());
  return {
    get missing() {
      return workers.missing;
    },
    problemChanged: (store) => reporter.changed(store),
    run: async (signal) => {
      const parts = [workers, reporter, ...(healer ? [healer] : [])];
      await Promise.all(parts.map((part) => part.run(signal)));
    },
  };
}

function* statesOf(workers: WorkerPods): Generator<string> {
  for (const [, { state }] of workers.entries()) yield state;
}
