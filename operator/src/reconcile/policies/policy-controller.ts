import type { Logger } from 'pino';
import type { StoreView } from '../../cluster/store-view.ts';
import { type PolicySettings, policyObjects } from '../../injection/policy/policy-objects.ts';
import { ApiError, type KubernetesApi } from '../../kubernetes/api.ts';
import { WorkQueue } from '../../kubernetes/work-queue.ts';
import type { DesiredObject } from '../../stores/desired-objects.ts';
import { identityOf } from '../../stores/ownership.ts';
import type { StoreResource } from '../../stores/read-store.ts';
import { type AppliedObject, appliedAs, versionOf } from '../../stores/write-plan/applied-object.ts';
import { observedPolicy } from './observed-policy.ts';
import { planPolicies } from './policy-plan.ts';
import { PolicyView } from './policy-view.ts';

/** The API server compiles each policy, which takes it tens of ms: more at a time would crowd out others. */
const CONCURRENCY = 4;

export interface PolicyControllerParts {
  readonly api: KubernetesApi;
  readonly stores: Pick<StoreView, 'synced' | 'onChange' | 'store' | 'stores'>;
  readonly settings: PolicySettings;
  readonly log: Logger;
}

/** An API server reads policies again each second; there may be several of them. */
const USED_AFTER_MS = 5_000;

/** Sees to it that each store has its admission policy and bindings, and that no others of the operator are left. */
export class PolicyController {
  readonly #parts: PolicyControllerParts;
  readonly #view: PolicyView;
  readonly #queue: WorkQueue;
  readonly #applied = new Map<string, Map<string, AppliedObject>>();
  readonly #problems = new Map<string, string>();
  /** when the objects of each store were first as they should be (monotonic ms) */
  readonly #settledAt = new Map<string, number>();
  readonly #listeners: ((store?: string) => void)[] = [];

  constructor(parts: PolicyControllerParts) {
    this.#parts = parts;
    const { api, stores, log } = parts;
    this.#view = new PolicyView(api, (err) => {
      log.warn({ err }, 'admission policies could not be watched; it is tried again');
      this.#notify();
    });
    this.#queue = new WorkQueue({
      concurrency: CONCURRENCY,
      work: async (store, signal) => await this.#reconcile(store, signal),
      onDone: ({ key, failure, retryInMs }) => {
        if (failure === undefined || retryInMs === undefined) return;
        const retry = { store: key, err: failure, retryIn: retryInMs };
        log.warn(retry, 'the admission policy of a store could not be seen to; it is tried again');
      },
    });
    stores.onChange((store) => this.#queue.add(store));
    this.#view.onChange((store) => this.#queue.add(store));
  }

  /**
   * Why the API server does not inject the sidecar of a store as the store is now, for people.
   * @param store `NAMESPACE/NAME`
   */
  problemOf(store: string): string | undefined {
    return this.#view.problem ?? this.#problems.get(store);
  }

  /** Whether the policy of a store has been there for so long that each part of the API server uses it. @param store `NAMESPACE/NAME` */
  isSettled(store: string): boolean {
    return performance.now() - (this.#settledAt.get(store) ?? Number.POSITIVE_INFINITY) > USED_AFTER_MS;
  }

  /** Called when `problemOf` may have changed, for a store by its key, or for all stores. */
  onChange(listener: (store?: string) => void): void {
    this.#listeners.push(listener);
  }

  /** Works until the signal is aborted, beside the view of stores; resolves when the work under way has ended. */
  async run(signal: AbortSignal): Promise<void> {
    const watching = this.#view.run(signal);
    // Before all is listed, every store would seem to have no policy, and every policy no store.
    await Promise.all([this.#parts.stores.synced, this.#view.synced]).catch(() => {});
    this.#notify();
    // A replica that becomes the leader has known the stores for long: no change of them is to come.
    for (const [store] of this.#parts.stores.stores()) this.#queue.add(store);
    await Promise.all([watching, this.#queue.run(signal)]);
  }

  async #reconcile(store: string, signal: AbortSignal): Promise<void> {
    const { api } = this.#parts;
    const live = this.#view.objects(store);
    const applied = this.#applied.get(store) ?? new Map<string, AppliedObject>();
    const nowMs = performance.now();
    const desired = this.#desired(this.#parts.stores.store(store));
    const plan = planPolicies({ live, desired, applied, nowMs });
    this.#applied.set(store, applied);
    for (const { desired: each, version } of plan.adopted)
      applied.set(identityOf(each), { hash: each.hash, version, atMs: nowMs, repairs: 0 });
    try {
      for (const { desired: each, force } of plan.apply) {
        const { resource, object } = each;
        const made = observedPolicy(resource, await api.apply(resource, object, { force }, signal));
        const identity = identityOf(each);
        applied.set(identity, appliedAs(applied.get(identity), each.hash, versionOf(made), nowMs));
      }
      for (const object of plan.remove) {
        await api.delete(object, object.uid, signal);
        applied.delete(identityOf(object));
      }
    } catch (error) {
      if (error instanceof ApiError && error.status !== 0) this.#setProblem(store, problemFor(error));
      throw error;
    }
    this.#setProblem(store, undefined);
    if (desired?.length === 0) {
      this.#applied.delete(store);
      this.#settledAt.delete(store);
    } else if (!this.#settledAt.has(store)) this.#settledAt.set(store, nowMs);
    if (Number.isFinite(plan.lookAgainAfterMs)) this.#queue.addAfter(store, plan.lookAgainAfterMs);
  }

  /** `undefined`: unknown, so that what is there stays */
  #desired(store: StoreResource | undefined): readonly DesiredObject[] | undefined {
    if (store === undefined || store.deleting) return [];
    const { name, namespace, spec } = store;
    return spec && policyObjects({ name, namespace, spec }, this.#parts.settings);
  }

  #setProblem(store: string, problem: string | undefined): void {
    if (this.#problems.get(store) === problem) return;
    if (problem === undefined) this.#problems.delete(store);
    else this.#problems.set(store, problem);
    this.#notify(store);
  }

  #notify(store?: string): void {
    for (const listener of this.#listeners) listener(store);
  }
}

/** A conflict means that the object has no labels of ours, so it belongs to somebody else. */
function problemFor({ status, message }: ApiError): string {
  if (status !== 409) return message;
  return `an object of that name is not the operator's: delete it, or let the operator have its fields (${message})`;
}
