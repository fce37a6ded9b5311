import type { Logger } from 'pino';
import { ApiError, type KubernetesApi, type ResourceKind } from '../../kubernetes/api.ts';
import { WorkQueue } from '../../kubernetes/work-queue.ts';
import { OURS, observedPolicy, POLICY_KINDS } from './observed-policy.ts';

const PAGE_SIZE = 500;

/** Removes what the operator has left in the cluster when it wrote admission policies, as it does so no longer. */
export class PolicyRemoval {
  readonly #api: KubernetesApi;
  readonly #queue: WorkQueue;

  constructor(api: KubernetesApi, log: Logger) {
    this.#api = api;
    this.#queue = new WorkQueue({
      concurrency: 1,
      work: async (_key, signal) => await this.#removeAll(signal),
      onDone: ({ failure, retryInMs }) => {
        if (failure !== undefined && retryInMs !== undefined)
          log.warn({ err: failure, retryIn: retryInMs }, 'old admission policies could not be removed');
      },
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    this.#queue.add('all');
    await this.#queue.run(signal);
  }

  async #removeAll(signal: AbortSignal): Promise<void> {
    // Bindings before policies.
    for (const resource of [...POLICY_KINDS].reverse()) await this.#removeAllOf(resource, signal);
  }

  async #removeAllOf(resource: ResourceKind, signal: AbortSignal): Promise<void> {
    let from: string | undefined;
    do {
      const page = { limit: PAGE_SIZE, continue: from };
      const selection = { resource, labelSelector: OURS, metadataOnly: true };
      const listed = await this.#api.list(selection, page, signal).catch(ifServed);
      for (const object of listed?.items ?? []) {
        const found = observedPolicy(resource, object);
        if (found.store !== undefined) await this.#api.delete(found, found.uid, signal);
      }
      from = listed?.continue;
    } while (from !== undefined);
  }
}

/** Before Kubernetes 1.36 there are no such policies. */
function ifServed(error: unknown): undefined {
  if (error instanceof ApiError && error.status === 404) return undefined;
  throw error;
}
