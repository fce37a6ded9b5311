import type { KubernetesApi } from '../kubernetes/api.ts';
import type { ObservedDeployment } from '../stores/observed.ts';
import { latestEvent } from './latest-event.ts';

/** ms */
const INTERVAL = 10_000;

interface Asked {
  readonly message: string | undefined;
  /** ms since the epoch */
  readonly nextAt: number;
}

/**
 * Why pods cannot be made, as it is now: a Deployment's own condition keeps the words of its first failure for as long as it
 * lasts.
 */
export class CreationFailures {
  readonly #api: KubernetesApi;
  readonly #asked = new Map<string, Asked>();

  constructor(api: KubernetesApi) {
    this.#api = api;
  }

  /** Events that cannot be had are no failure: they only explain. @param now ms since the epoch */
  async refresh(deployments: readonly ObservedDeployment[], now: number, signal: AbortSignal): Promise<void> {
    const failing = deployments.filter(({ replicaFailure }) => replicaFailure !== undefined);
    const names = new Set(failing.map(({ name }) => name));
    for (const name of this.#asked.keys()) if (!names.has(name)) this.#asked.delete(name);
    for (const { namespace, name } of failing) {
      const before = this.#asked.get(name);
      if (now < (before?.nextAt ?? 0)) continue;
      const fieldSelector = 'involvedObject.kind=ReplicaSet,type=Warning';
      // A ReplicaSet is named as its Deployment and a hash; another Deployment's name may begin as this one's.
      const about = new RegExp(`^${name}-[a-z0-9]+$`);
      const selection = { namespace, fieldSelector, reasons: ['FailedCreate'], about };
      const message = await latestEvent(this.#api, selection, signal).catch(() => before?.message);
      this.#asked.set(name, { message, nextAt: now + INTERVAL });
    }
  }

  /** by name of the Deployment */
  get messages(): ReadonlyMap<string, string> {
    return new Map(
      [...this.#asked].flatMap(([name, { message }]) => (message === undefined ? [] : [[name, message]])),
    );
  }

  /** ms since the epoch, when the next one should be asked about; infinite while there is none. */
  get nextAt(): number {
    return Math.min(...[...this.#asked.values()].map(({ nextAt }) => nextAt));
  }
}
