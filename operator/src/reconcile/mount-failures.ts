import type { KubernetesApi } from '../kubernetes/api.ts';
import type { ObservedPod } from '../stores/observed.ts';
import { latestEvent } from './latest-event.ts';

const REASONS = ['FailedMount', 'FailedAttachVolume'];
/** ms that a pod may take to mount its volumes before anybody asks why */
const PATIENCE = 3_000;
const INTERVAL = 10_000;

interface Asked {
  readonly message: string | undefined;
  /** ms since the epoch */
  readonly nextAt: number;
}

/** Why volumes cannot be mounted. Kubernetes says it in Events only, which are asked for while a pod waits. */
export class MountFailures {
  readonly #api: KubernetesApi;
  readonly #asked = new Map<string, Asked>();

  constructor(api: KubernetesApi) {
    this.#api = api;
  }

  /** Events that cannot be had are no failure: they only explain. @param now ms since the epoch */
  async refresh(pods: readonly ObservedPod[], now: number, signal: AbortSignal): Promise<void> {
    const waiting = pods.filter(isMounting);
    const uids = new Set(waiting.map(({ uid }) => uid));
    for (const uid of this.#asked.keys()) if (!uids.has(uid)) this.#asked.delete(uid);
    for (const pod of waiting) {
      const nextAt = this.#asked.get(pod.uid)?.nextAt ?? pod.createdAt + PATIENCE;
      if (now < nextAt) {
        if (!this.#asked.has(pod.uid)) this.#asked.set(pod.uid, { message: undefined, nextAt });
        continue;
      }
      const { namespace, uid } = pod;
      const fieldSelector = `involvedObject.uid=${uid},type=Warning`;
      const selection = { namespace, fieldSelector, reasons: REASONS };
      const before = this.#asked.get(uid)?.message;
      const message = await latestEvent(this.#api, selection, signal).catch(() => before);
      this.#asked.set(pod.uid, { message, nextAt: now + INTERVAL });
    }
  }

  /** by UID of the pod */
  get messages(): ReadonlyMap<string, string> {
    return new Map(
      [...this.#asked].flatMap(([uid, { message }]) => (message === undefined ? [] : [[uid, message]])),
    );
  }

  /** ms since the epoch, when the next pod should be asked about; infinite while none waits. */
  get nextAt(): number {
    return Math.min(...[...this.#asked.values()].map(({ nextAt }) => nextAt));
  }
}

/** It has a node, and no container that ever ran or says what else it waits for. */
function isMounting({ phase, node, deleting, waiting, runningSince, restarts }: ObservedPod): boolean {
  const says = waiting === undefined || waiting.reason === 'ContainerCreating';
  return (
    phase === 'Pending' &&
    node !== undefined &&
    !deleting &&
    says &&
    runningSince === undefined &&
    restarts === 0
  );
}
