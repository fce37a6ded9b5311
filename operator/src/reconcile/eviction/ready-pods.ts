import { namespaceOf } from '../../cluster/workers/worker-pods.ts';
import type { KubernetesApi } from '../../kubernetes/api.ts';
import { PODS } from '../../kubernetes/resources.ts';
import { condition } from '../../stores/mapping/deployment.ts';
import type { OwnerPod } from './plan-eviction.ts';

/** pods of one owner that are looked at in a round: each that is not ready keeps the owner waiting */
const MOST_OF_AN_OWNER = 3;
const MOST_OF_ALL = 60;
const AT_A_TIME = 4;

type Pods = readonly (readonly [key: string, pod: { readonly uid: string }])[];

/** Which pods were seen ready. Their metadata does not show it, so each is asked for until it is. */
export class ReadyPods {
  readonly #api: Pick<KubernetesApi, 'get'>;
  /** UIDs */
  #ready: ReadonlySet<string> = new Set();

  constructor(api: Pick<KubernetesApi, 'get'>) {
    this.#api = api;
  }

  has(uid: string): boolean {
    return this.#ready.has(uid);
  }

  /** Forgets all others. */
  retain(owners: Iterable<Pods>): void {
    const kept = [...owners].flatMap((pods) => pods.map(([, { uid }]) => uid));
    this.#ready = new Set(kept.filter((uid) => this.#ready.has(uid)));
  }

  /** Asks for some of the pods. What fails is asked for in the next round. @param owners the pods of each owner that matter */
  async look(owners: readonly (readonly OwnerPod[])[], signal: AbortSignal): Promise<void> {
    const asked = owners.flatMap((pods) => pods.slice(0, MOST_OF_AN_OWNER)).slice(0, MOST_OF_ALL);
    const ready = new Set(this.#ready);
    const waiting = asked.values();
    const work = async () => {
      for (const { key, uid } of waiting) if (await this.#isReady(key, uid, signal)) ready.add(uid);
    };
    await Promise.all(Array.from({ length: AT_A_TIME }, work));
    this.#ready = ready;
  }

  async #isReady(key: string, uid: string, signal: AbortSignal): Promise<boolean> {
    const namespace = namespaceOf(key);
    const name = key.slice(namespace.length + 1);
    const pod = await this.#api.get({ resource: PODS, namespace, name }, signal).catch(() => undefined);
    return pod?.metadata.uid === uid && condition(pod.status, 'Ready')?.status === 'True';
  }
}
