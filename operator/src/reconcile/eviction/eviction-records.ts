import { randomUUID } from 'node:crypto';
import { textAt, timeAt } from '@largepayload/crds';
import type { WorkerPod } from '../../cluster/workers/worker-pod.ts';
import { keyOfOwner, type PodOwner } from '../../injection/pod-owner.ts';
import type { KubernetesApi, PodName } from '../../kubernetes/api.ts';
import { CONTROLLER } from '../../kubernetes/event-recorder.ts';
import { microTime } from '../../kubernetes/lease.ts';
import { EVENTS, kindOf, POD_EVENTS, PODS } from '../../kubernetes/resources.ts';
import type { Eviction } from './plan-eviction.ts';

/** The Event of an evicted pod. */
const REASON = 'EvictedForSidecar';
const PAGE_SIZE = 100;
const KEPT_MS = 3_600_000;
/** UTF-16 units; Kubernetes makes 36, and an Event may have any text */
const LONGEST_UID = 253;

/**
 * The latest eviction of each owner. Each is recorded as an Event of the pod, so that the next operator finds it: Kubernetes keeps
 * Events for an hour. A forged Event can only keep pods of its own namespace from being evicted.
 */
export class EvictionRecords {
  readonly #api: Pick<KubernetesApi, 'create' | 'list'>;
  readonly #instance: string;
  /** by key of the owner */
  readonly #evictions = new Map<string, Eviction>();

  /** @param instance of this process: the pod's name */
  constructor(api: Pick<KubernetesApi, 'create' | 'list'>, instance: string) {
    this.#api = api;
    this.#instance = instance;
  }

  /**
   * What earlier processes have recorded.
   * @param now ms since the epoch, by the clock of the API server
   * @throws ApiError
   */
  async load(now: number, signal: AbortSignal): Promise<void> {
    const selection = { resource: POD_EVENTS, fieldSelector: `reason=${REASON}` };
    let from: string | undefined;
    do {
      const page = await this.#api.list(selection, { limit: PAGE_SIZE, continue: from }, signal);
      for (const event of page.items) {
        const uid = textAt(event, 'related', 'uid');
        const at = timeAt(event, 'eventTime');
        if (uid === undefined || uid.length > LONGEST_UID || at === undefined) continue;
        // Only a forged one is of later: it would never be old enough to be forgotten.
        const time = Math.min(at, now);
        const owner = keyOfOwner(event.metadata.namespace ?? '', { uid });
        const before = this.#evictions.get(owner)?.at ?? 0;
        this.#evictions.set(owner, { at: Math.max(before, inSeconds(time)), known: new Set() });
      }
      from = page.continue;
    } while (from !== undefined);
  }

  latest(owner: string): Eviction | undefined {
    return this.#evictions.get(owner);
  }

  entries(): Iterable<[owner: string, latest: Eviction]> {
    return this.#evictions.entries();
  }

  /**
   * Forgets old records of other owners than these. The only pod of an owner may have been evicted, so that it has none for a time.
   * @param owners by key
   * @param now ms since the epoch
   */
  retain(owners: { has(key: string): boolean }, now: number): void {
    for (const [key, { at }] of this.#evictions)
      if (!owners.has(key) && now - at > KEPT_MS) this.#evictions.delete(key);
  }

  /**
   * To be called when a pod was evicted. It counts even if the Event cannot be written.
   * @param at when the eviction was asked for, ms since the epoch, by the clock of the API server
   * @param known UIDs of the pods of the owner at that moment
   * @throws ApiError
   */
  async add(
    { owner, store, why, uid }: WorkerPod & { readonly owner: PodOwner },
    { namespace, name }: PodName,
    { at, known }: Eviction,
    signal: AbortSignal,
  ): Promise<void> {
    this.#evictions.set(keyOfOwner(namespace, owner), { at: inSeconds(at), known });
    const { apiVersion, kind } = owner;
    const event = {
      ...kindOf(EVENTS),
      metadata: { namespace, name: `${name.slice(0, 200)}.${randomUUID().slice(-12)}` },
      eventTime: microTime(new Date(at)),
      reportingController: CONTROLLER,
      reportingInstance: this.#instance.slice(0, 128),
      ...{ type: 'Normal', reason: REASON, action: 'Evict' },
      regarding: { ...kindOf(PODS), namespace, name, uid },
      related: { apiVersion, kind, namespace, name: owner.name, uid: owner.uid },
      note: `evicted, so that a pod with a sidecar of the store ${store} takes its place: ${why}`,
    };
    await this.#api.create(EVENTS, event, signal);
  }
}

/** Times of objects have whole seconds. */
function inSeconds(time: number): number {
  return Math.floor(time / 1_000) * 1_000;
}
