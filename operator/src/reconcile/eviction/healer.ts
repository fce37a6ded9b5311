import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { StoreView } from '../../cluster/store-view.ts';
import type { WorkerPod } from '../../cluster/workers/worker-pod.ts';
import { namespaceOf, type WorkerPods } from '../../cluster/workers/worker-pods.ts';
import { keyOfOwner } from '../../injection/pod-owner.ts';
import { ApiError, type KubernetesApi } from '../../kubernetes/api.ts';
import { Backoff } from '../../kubernetes/backoff.ts';
import type { EvictionResult } from '../../operations/worker-metrics.ts';
import { type EvictMissed, isCandidate, isHealed } from './candidates.ts';
import type { EvictionRecords } from './eviction-records.ts';
import {
  type Eviction,
  type OwnerPod,
  type OwnerSituation,
  planEviction,
  type Step,
} from './plan-eviction.ts';
import { ReadyPods } from './ready-pods.ts';

/** After the start: a replacement that an earlier process has asked for may not be seen yet. */
const SETTLE_MS = 3_000;
const BETWEEN_ROUNDS_MS = 500;
/** owners that wait for a replacement at a time */
const MOST_UNDER_WAY = 20;
/** After this time an owner that waits for its replacement leaves its place to another. */
const LONGEST_UNDER_WAY_MS = 300_000;
const REFUSED = { firstMs: 5_000, longestMs: 300_000 };

export interface HealerParts {
  readonly api: Pick<KubernetesApi, 'evict' | 'get'>;
  readonly stores: StoreView;
  readonly workers: WorkerPods;
  readonly records: EvictionRecords;
  readonly mode: EvictMissed;
  /** Whether new pods get a sidecar of a store: otherwise evictions are for nothing. @param store its key */
  readonly isInjecting: (store: string) => boolean;
  /** ms since the epoch, by the clock of the API server */
  readonly now: () => number;
  readonly onResult: (result: EvictionResult) => void;
  readonly log: Logger;
}

type Pods = readonly (readonly [key: string, pod: WorkerPod])[];

/** Evicts missed pods, one at a time of each owner, so that pods with a sidecar take their place. */
export class Healer {
  readonly #parts: HealerParts;
  readonly #ready: ReadyPods;
  /** by key of the owner */
  readonly #refused = new Map<string, { readonly backoff: Backoff; untilMs: number }>();
  /** keys of owners */
  #leftAlone: ReadonlySet<string> = new Set();
  readonly #listeners: (() => void)[] = [];

  constructor(parts: HealerParts) {
    this.#parts = parts;
    this.#ready = new ReadyPods(parts.api);
  }

  /** Called when other owners than before are left alone. */
  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  /** Whether eviction did not help the owner with this key. */
  isLeftAlone(owner: string): boolean {
    return this.#leftAlone.has(owner);
  }

  /** Heals until the signal is aborted, beside the view of the workers. */
  async run(signal: AbortSignal): Promise<void> {
    const { workers, records, now, log } = this.#parts;
    const pause = (ms: number) => sleep(ms, undefined, { signal }).catch(() => {});
    await Promise.race([workers.firstRead, once(signal)]);
    const backoff = new Backoff(REFUSED);
    while (!signal.aborted) {
      try {
        await records.load(now(), signal);
        break;
      } catch (err) {
        log.warn({ err }, 'earlier evictions could not be read, so none is made; it is tried again');
        await pause(backoff.next());
      }
    }
    await pause(SETTLE_MS);
    while (!signal.aborted) {
      if (this.#hasWork()) await this.#round(signal);
      await pause(BETWEEN_ROUNDS_MS);
    }
  }

  #hasWork(): boolean {
    if (this.#leftAlone.size > 0) return true;
    for (const [, { state }] of this.#parts.workers.entries()) if (state === 'missed') return true;
    return false;
  }

  async #round(signal: AbortSignal): Promise<void> {
    const { records } = this.#parts;
    const owners = this.#owners();
    records.retain(owners, this.#parts.now());
    for (const key of this.#refused.keys()) if (!owners.has(key)) this.#refused.delete(key);
    this.#ready.retain(owners.values());
    const looks = [...this.#steps(owners).values()].flatMap((step) =>
      step.kind === 'look' ? [step.pods] : [],
    );
    await this.#ready.look(looks, signal);
    const steps = this.#steps(owners);
    this.#leaveAlone([...steps].flatMap(([key, { kind }]) => (kind === 'leaveAlone' ? [key] : [])));
    const free = Math.max(0, MOST_UNDER_WAY - this.#countUnderWay(steps));
    const evictions = [...steps].flatMap(([key, step]) =>
      step.kind === 'evict' ? [{ pod: step.pod, pods: owners.get(key) ?? [] }] : [],
    );
    await Promise.all(evictions.slice(0, free).map(({ pod, pods }) => this.#evict(pod, pods, signal)));
  }

  #steps(owners: ReadonlyMap<string, Pods>): ReadonlyMap<string, Step> {
    return new Map([...owners].map(([key, pods]) => [key, this.#plan(key, pods)] as const));
  }

  /** The pods of each owner that can be healed, by its key. */
  #owners(): ReadonlyMap<string, Pods> {
    const owners = new Map<string, [string, WorkerPod][]>();
    for (const [key, pod] of this.#parts.workers.entries()) {
      if (!isHealed(pod.owner)) continue;
      const owner = keyOfOwner(namespaceOf(key), pod.owner);
      const pods = owners.get(owner) ?? [];
      pods.push([key, pod]);
      owners.set(owner, pods);
    }
    return owners;
  }

  #plan(owner: string, pods: Pods): Step {
    const { stores, mode, isInjecting, records, now } = this.#parts;
    const [[key] = ['']] = pods;
    const labelledAt = stores.namespace(namespaceOf(key))?.labelledAt;
    const toPlan = ([podKey, pod]: Pods[number]): OwnerPod => {
      const { uid, createdAt, state, store } = pod;
      const isWorking = store !== undefined && isInjecting(store);
      return {
        ...{ key: podKey, uid, createdAt, isMissed: state === 'missed', isReady: this.#ready.has(uid) },
        isCandidate: isWorking && isCandidate(pod, mode, labelledAt),
      };
    };
    const situation: OwnerSituation = {
      pods: pods.map(toPlan),
      latest: records.latest(owner),
      labelledAt,
      isRefused: (this.#refused.get(owner)?.untilMs ?? 0) > performance.now(),
      now: now(),
    };
    return planEviction(situation);
  }

  /** Owners that wait for a replacement. Those of which no pod is there wait, too, if this process has evicted their last one. */
  #countUnderWay(steps: ReadonlyMap<string, Step>): number {
    const { records, now } = this.#parts;
    const isWaiting = (owner: string, { known }: Eviction) => {
      const kind = steps.get(owner)?.kind;
      return kind === undefined ? known.size > 0 : kind === 'wait' || kind === 'look';
    };
    return [...records.entries()].filter(
      ([owner, latest]) => now() - latest.at < LONGEST_UNDER_WAY_MS && isWaiting(owner, latest),
    ).length;
  }

  #leaveAlone(owners: readonly string[]): void {
    const fresh = owners.filter((key) => !this.#leftAlone.has(key));
    const isOther = fresh.length > 0 || owners.length !== this.#leftAlone.size;
    this.#leftAlone = new Set(owners);
    for (const _ of fresh) this.#parts.onResult('didNotHelp');
    if (isOther) for (const listener of this.#listeners) listener();
  }

  async #evict({ key }: OwnerPod, pods: Pods, signal: AbortSignal): Promise<void> {
    const { api, records, now, onResult, log } = this.#parts;
    const pod = pods.find(([podKey]) => podKey === key)?.[1];
    if (!isHealed(pod?.owner)) return;
    const { owner } = pod;
    const namespace = namespaceOf(key);
    const ownerKey = keyOfOwner(namespace, owner);
    const name = key.slice(namespace.length + 1);
    const eviction: Eviction = { at: now(), known: new Set(pods.map(([, { uid }]) => uid)) };
    try {
      await api.evict({ namespace, name }, pod.uid, signal);
    } catch (error) {
      if (!signal.aborted) this.#note(ownerKey, error as Error, key);
      return;
    }
    this.#refused.delete(ownerKey);
    onResult('evicted');
    log.info({ pod: key, store: pod.store }, 'evicted, so that a pod with a sidecar takes its place');
    await records.add({ ...pod, owner }, { namespace, name }, eviction, signal).catch((err) => {
      if (!signal.aborted) log.warn({ err, pod: key }, 'the eviction could not be recorded as an Event');
    });
  }

  #note(owner: string, failure: Error, pod: string): void {
    const isBudget = failure instanceof ApiError && failure.status === 429;
    const { onResult, log } = this.#parts;
    onResult(isBudget ? 'refused' : 'failed');
    const refused = this.#refused.get(owner) ?? { backoff: new Backoff(REFUSED), untilMs: 0 };
    const delayMs = refused.backoff.next();
    this.#refused.set(owner, { ...refused, untilMs: performance.now() + delayMs });
    const message = isBudget
      ? 'a PodDisruptionBudget does not allow the eviction now; it is tried again'
      : 'a pod could not be evicted; it is tried again';
    log[isBudget ? 'info' : 'warn']({ pod, err: failure, retryIn: delayMs }, message);
  }
}

function once(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
