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

  /** @param now ms since the epoch @throws ApiError */
  async refresh(deployments: readonly ObservedDeployment[], now: number, signal: AbortSignal): Promise<void> {
    for (const { namespace, name, replicaFailure } of deployments) {
      if (replicaFailure === undefined) this.#asked.delete(name);
      else if (now >= (this.#asked.get(name)?.nextAt ?? 0)) {
        const fieldSelector = 'involvedObject.kind=ReplicaSet,type=Warning';
        const selection = { namespace, fieldSelector, reasons: ['FailedCreate'], about: `${name}-` };
        const message = await latestEvent(this.#api, selection, signal);
        this.#asked.set(name, { message, nextAt: now + INTERVAL });
      }
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
