import type { ClusterView } from '../cluster/cluster-view.ts';
import type { KubernetesApi } from '../kubernetes/api.ts';
import type { Poller } from '../polling/poller.ts';
import { certificateFirst } from '../stores/certificate-first.ts';
import type { PodSettings } from '../stores/desired/context.ts';
import { type DesiredObject, desiredObjects } from '../stores/desired-objects.ts';
import { type Component, componentName } from '../stores/names.ts';
import type { ObservedDeployment, ObservedPod, ObservedStore } from '../stores/observed.ts';
import type { StoreResource } from '../stores/read-store.ts';
import { decideStatus } from '../stores/status.ts';
import { leftElsewhere } from '../stores/write-plan/obsolete-objects.ts';
import type { CertificateController } from './certificates/certificate-controller.ts';
import { creationQuestions, mountQuestions } from './event-questions.ts';
import { ExplainingEvents } from './explaining-events.ts';
import { PlanExecutor } from './plan-executor.ts';
import type { StatusWriter } from './status-writer.ts';

export interface ReconcilerParts {
  readonly api: KubernetesApi;
  readonly cluster: ClusterView;
  readonly poller: Poller;
  readonly certificates: CertificateController;
  readonly status: StatusWriter;
  readonly settings: PodSettings;
}

/** Memory of a store between two reconciliations. All of it can be found out anew. */
interface Memory {
  readonly uid: string;
  readonly writes: PlanExecutor;
  readonly events: ExplainingEvents;
}

const NEVER = Number.POSITIVE_INFINITY;
/** Before a store is looked at again though nothing changed. */
const SHORTEST_PAUSE_MS = 500;
/** Some conditions change by time alone: a pod takes too long to start, a pass is late. */
const RECHECK_MS = { whileStarting: 30_000, whileReady: 600_000 };

/** Read everything, decide, write, report. */
export class StoreReconciler {
  readonly #parts: ReconcilerParts;
  readonly #memories = new Map<string, Memory>();

  constructor(parts: ReconcilerParts) {
    this.#parts = parts;
  }

  /**
   * Makes one store as its resource demands. May be called at any time, any number of times; never twice at once for one key.
   * @param key `NAMESPACE/NAME`
   * @returns ms after which to call again though nothing seems to change
   * @throws ApiError when something could not be written; the status is written all the same, if that is possible
   */
  async reconcile(key: string, signal: AbortSignal): Promise<number> {
    const { cluster, poller, certificates, settings } = this.#parts;
    const store = cluster.store(key);
    if (store === undefined) return await this.#leave(key, signal);
    const memory = this.#memory(key, store);
    const { bundle, isPending } = certificates.stateOf(store.namespace);
    const hasGateway = this.#deployment(key, store, 'gateway') !== undefined;
    const all = desiredObjects(store, { ...settings, bundle });
    const desired = certificateFirst(store, all, { isPending, hasGateway });
    const pods = cluster.pods(key);
    poller.watch(key, pods);
    const questions = [...mountQuestions(pods, Date.now()), ...creationQuestions(cluster.deployments(key))];
    // Wait for both: nothing of this reconciliation may go on beside the next one.
    const [written, read] = await Promise.allSettled([
      memory.writes.run(this.#observe(key, store, memory), desired, signal, this.#postponedInAll()),
      memory.events.refresh(questions, performance.now(), signal),
    ]);
    // Pods and Deployments may have changed meanwhile, so observe again.
    const report = () => this.#report(this.#observe(key, store, memory), desired, signal);
    if (written.status === 'rejected') {
      // A status that cannot be written either has the same cause.
      if (!signal.aborted) await report().catch(() => {});
      throw written.reason;
    }
    const readAfterMs = read.status === 'fulfilled' ? read.value : NEVER;
    const next = Math.min(written.value, await report(), recheckAfterMs(pods), readAfterMs);
    return Math.max(SHORTEST_PAUSE_MS, next);
  }

  #postponedInAll(): number {
    let count = 0;
    for (const { writes } of this.#memories.values()) count += writes.postponed;
    return count;
  }

  #memory(key: string, { uid }: StoreResource): Memory {
    const known = this.#memories.get(key);
    if (known?.uid === uid) return known;
    this.#forget(key);
    const { api } = this.#parts;
    const memory = { uid, writes: new PlanExecutor(api), events: new ExplainingEvents(api) };
    this.#memories.set(key, memory);
    return memory;
  }

  /** Kubernetes removes the objects of a store that has gone, except for those of other namespaces, which cannot have it as owner. */
  async #leave(key: string, signal: AbortSignal): Promise<number> {
    const { api, cluster } = this.#parts;
    this.#forget(key);
    for (const object of leftElsewhere(cluster.objects(key))) await api.delete(object, object.uid, signal);
    return NEVER;
  }

  #forget(key: string): void {
    const { poller, status } = this.#parts;
    poller.forget(key);
    status.forget(this.#memories.get(key)?.uid ?? '');
    this.#memories.delete(key);
  }

  #deployment(key: string, { name }: StoreResource, component: Component): ObservedDeployment | undefined {
    const wanted = componentName(name, component);
    return this.#parts.cluster.deployments(key).find((deployment) => deployment.name === wanted);
  }

  #observe(key: string, store: StoreResource, memory: Memory): ObservedStore {
    const { cluster, poller, status } = this.#parts;
    const { writes, events } = memory;
    return {
      store: { ...store, status: status.statusOf(store) },
      gateway: this.#deployment(key, store, 'gateway'),
      reaper: this.#deployment(key, store, 'reaper'),
      pods: cluster.pods(key),
      objects: [...cluster.objects(key), ...writes.foreignObjects(store)],
      reports: poller.reports(key),
      eventMessages: events.messages,
      refusals: writes.refusals,
    };
  }

  /** @returns ms after which to write the status, where pods are to be polled before; otherwise infinite */
  async #report(
    observed: ObservedStore,
    desired: readonly DesiredObject[],
    signal: AbortSignal,
  ): Promise<number> {
    const { poller, status, certificates } = this.#parts;
    const { store } = observed;
    if (lacksCertificate(observed)) certificates.lookSoon(store.namespace);
    const certificateProblem = certificates.stateOf(store.namespace).problem;
    const patienceMs = poller.patienceMs(`${store.namespace}/${store.name}`);
    if (patienceMs > 0) return patienceMs;
    await status.write(
      store,
      decideStatus({ observed, desired, certificateProblem, now: Date.now() }),
      signal,
    );
    return NEVER;
  }
}

function lacksCertificate({ reports }: ObservedStore): boolean {
  return [...reports.values()].some(
    (poll) => 'report' in poll && poll.report.error?.reason?.name === 'CertificateMissing',
  );
}

function recheckAfterMs(pods: readonly ObservedPod[]): number {
  if (pods.length === 0) return NEVER;
  return pods.every(({ ready }) => ready) ? RECHECK_MS.whileReady : RECHECK_MS.whileStarting;
}
