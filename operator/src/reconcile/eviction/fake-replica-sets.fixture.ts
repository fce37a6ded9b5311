import { eventually } from '@largepayload/testing/waiting/eventually';
import { sidecarOf } from '../../injection/raw-pod.ts';
import type { KubernetesApi, KubernetesObject } from '../../kubernetes/api.ts';
import { NEVER } from '../../kubernetes/api-server.fixture.ts';
import { Informer } from '../../kubernetes/informer.ts';
import { POD_DISRUPTION_BUDGETS, PODS } from '../../kubernetes/resources.ts';
import { condition } from '../../stores/mapping/deployment.ts';
import { replicaSet, setPhase, workerPod } from '../workers/workers.fixture.ts';

const AT_A_TIME = 8;
/** A new pod is ready so long after it was made. */
const READY_AFTER_MS = 300;

interface Seen {
  readonly name: string;
  readonly owner: string;
  readonly isReady: boolean;
  readonly isInjected: boolean;
}

interface Owner {
  readonly reference: ReturnType<typeof replicaSet>;
  readonly metadata: object;
  made: number;
  leastReady: number;
  writing: Promise<void>;
}

export interface FakeOptions {
  readonly api: KubernetesApi;
  readonly namespace: string;
  readonly owners: number;
  readonly replicas: number;
  /** of the names of the owners */
  readonly prefix?: string;
  /** of the owners' pods, as the API server gets them */
  readonly make?: (pod: KubernetesObject) => KubernetesObject;
  readonly kind?: readonly [kind: string, apiVersion: string];
  /** how many pods of an owner a budget lets be away; absent: 1 */
  readonly maxUnavailable?: number;
  readonly withBudgets?: boolean;
}

/**
 * Stands for the controllers and nodes of a cluster: each owner has pods, and each pod that goes is replaced by another one, which
 * becomes ready. With a budget for each owner, which is kept up to date.
 */
export class FakeReplicaSets implements AsyncDisposable {
  readonly #options: FakeOptions;
  readonly #owners = new Map<string, Owner>();
  readonly #pods: Informer<Seen>;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  /** The pods that take the place of others. */
  makeNew: (pod: KubernetesObject) => KubernetesObject = (pod) => pod;
  isReplacing = true;
  /** Whether new pods become ready. */
  isStarting = true;

  private constructor(options: FakeOptions) {
    this.#options = options;
    const { api, namespace } = options;
    this.#pods = new Informer({ api, selection: { resource: PODS, namespace }, map: seen });
    this.#pods.onChange((_, before, after) => {
      const uid = (after ?? before)?.owner ?? '';
      const owner = this.#owners.get(uid);
      if (owner === undefined) return;
      owner.leastReady = Math.min(owner.leastReady, this.#readyOf(uid).length);
      // One after the other: a late write of an earlier count would stay.
      owner.writing = owner.writing.then(() => this.#writeBudget(owner));
      if (after === undefined && this.isReplacing) void this.#make(owner, (pod) => this.makeNew(pod));
    });
    this.#running = this.#pods.run(this.#stop.signal);
  }

  /** Resolves when every pod is ready. */
  static async start(options: FakeOptions): Promise<FakeReplicaSets> {
    const sets = new FakeReplicaSets(options);
    const indexes = Array.from({ length: options.owners }, (_, index) => index).values();
    const work = async () => {
      for (const index of indexes) await sets.#makeOwner(`${options.prefix ?? 'worker'}-${index}`);
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, work));
    const all = options.owners * options.replicas;
    await eventually('all pods are ready', () => sets.count(({ isReady }) => isReady) === all);
    for (const owner of sets.#owners.values()) owner.leastReady = options.replicas;
    return sets;
  }

  /** Makes all pods ready that are not. */
  async startAll(): Promise<void> {
    const { api, namespace } = this.#options;
    for (const { name, isReady } of this.#own())
      if (!isReady) await setPhase(api, workerPod(namespace, name), 'Running');
  }

  count(isCounted: (pod: Seen) => boolean): number {
    return this.#own().filter(isCounted).length;
  }

  names(): readonly string[] {
    return this.#own()
      .map(({ name }) => name)
      .sort();
  }

  /** How few ready pods an owner had at the worst moment, of all owners. */
  get leastReady(): number {
    return Math.min(...[...this.#owners.values()].map(({ leastReady }) => leastReady));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** The pods of its owners; those of others may be in the namespace, too. */
  #own(): readonly Seen[] {
    return [...this.#pods.entries()].map(([, pod]) => pod).filter(({ owner }) => this.#owners.has(owner));
  }

  async #makeOwner(name: string): Promise<void> {
    const { namespace, replicas, kind = ['ReplicaSet', 'apps/v1'], make, withBudgets = true } = this.#options;
    const { api, maxUnavailable = 1 } = this.#options;
    const reference = replicaSet(name, ...kind);
    const owner = {
      reference,
      metadata: { labels: { owner: name } },
      made: 0,
      leastReady: replicas,
      writing: Promise.resolve(),
    };
    this.#owners.set(reference.uid, owner);
    if (withBudgets) {
      const spec = { maxUnavailable, selector: { matchLabels: { owner: name } } };
      const budget = {
        apiVersion: 'policy/v1',
        kind: 'PodDisruptionBudget',
        metadata: { namespace, name },
        spec,
      };
      await api.create(POD_DISRUPTION_BUDGETS, budget, NEVER);
    }
    for (let index = 0; index < replicas; index += 1) await this.#make(owner, make);
  }

  async #make(owner: Owner, make: FakeOptions['make'] = (pod) => pod): Promise<void> {
    const { api, namespace } = this.#options;
    const { reference, metadata } = owner;
    owner.made += 1;
    const name = `${reference.name}-${owner.made}`;
    const pod = workerPod(namespace, name, { ...metadata, ownerReferences: [reference] });
    const made = await api.create(PODS, make(pod), NEVER);
    if (!this.isStarting) return;
    await new Promise((resolve) => setTimeout(resolve, READY_AFTER_MS));
    await setPhase(api, made, 'Running').catch(() => {});
  }

  #readyOf(uid: string): readonly Seen[] {
    return this.#own().filter(({ owner, isReady }) => owner === uid && isReady);
  }

  async #writeBudget({ reference }: Owner): Promise<void> {
    const { api, namespace, replicas, withBudgets = true, maxUnavailable = 1 } = this.#options;
    if (!withBudgets) return;
    const desired = replicas - maxUnavailable;
    const healthy = this.#readyOf(reference.uid).length;
    const counts = { currentHealthy: healthy, desiredHealthy: desired, expectedPods: replicas };
    const status = { observedGeneration: 1, disruptionsAllowed: Math.max(0, healthy - desired), ...counts };
    const metadata = { namespace, name: reference.name };
    const object = { apiVersion: 'policy/v1', kind: 'PodDisruptionBudget', metadata, status };
    await api.applyStatus(POD_DISRUPTION_BUDGETS, object, NEVER, 'disruption-controller').catch(() => {});
  }
}

function seen({ metadata, spec, status }: KubernetesObject): Seen {
  return {
    name: metadata.name,
    owner: metadata.ownerReferences?.[0]?.uid ?? '',
    isReady: condition(status, 'Ready')?.status === 'True',
    isInjected: sidecarOf({ spec }) !== undefined,
  };
}
