import { ApiError, type KubernetesApi } from '../kubernetes/api.ts';
import type { DesiredObject } from '../stores/desired-objects.ts';
import { mapObject } from '../stores/mapping/object.ts';
import type { ObservedObject, ObservedStore, Refusal } from '../stores/observed.ts';
import type { StoreResource } from '../stores/read-store.ts';
import { planWrites } from '../stores/write-plan/plan-writes.ts';
import { objectOf, type WriteAction, type WriteOutcome } from '../stores/write-plan/write-action.ts';
import * as writeState from '../stores/write-plan/write-state.ts';

/** Carries out the write plans of a store, and remembers the outcomes. */
export class PlanExecutor {
  readonly #api: KubernetesApi;
  #state = writeState.NOTHING_WRITTEN;

  constructor(api: KubernetesApi) {
    this.#api = api;
  }

  /** Objects of others that have a name which the store needs. */
  foreignObjects(store: StoreResource): readonly ObservedObject[] {
    return writeState.foreignObjects(this.#state, store);
  }

  /** of the latest round, and of requests that the API server has failed to answer for long */
  get refusals(): readonly Refusal[] {
    return writeState.refusalsOf(this.#state, performance.now());
  }

  /** how many objects of other namespaces wait to be tried again */
  get postponed(): number {
    return this.#state.postponed.size;
  }

  /**
   * Plans and acts until nothing is left to do.
   * @param postponedInAll objects of other namespaces that wait to be tried again, of all stores
   * @returns ms after which to do so again though nothing seems to change; may be infinite
   * @throws ApiError when the API server cannot answer; refusals are in `refusals`
   */
  async run(
    observed: ObservedStore,
    desired: readonly DesiredObject[],
    signal: AbortSignal,
    postponedInAll = 0,
  ): Promise<number> {
    const nowMs = performance.now();
    this.#state = writeState.beginRound(this.#state, observed.store, nowMs, postponedInAll);
    for (;;) {
      const { actions, lookAgainAfterMs } = planWrites(observed, desired, this.#state, nowMs);
      if (actions.length === 0) return lookAgainAfterMs;
      for (const action of actions) {
        const outcome = await this.#act(action, nowMs, signal);
        if (outcome !== 'applied' && outcome !== 'deleted') break;
      }
    }
  }

  async #act(action: WriteAction, nowMs: number, signal: AbortSignal): Promise<WriteOutcome['kind']> {
    let failure: unknown;
    const outcome = await this.#send(action, signal).catch((error: unknown) => {
      failure = error;
      return outcomeOf(error, action);
    });
    this.#state = writeState.record(this.#state, action, outcome, nowMs);
    if (outcome.kind === 'failed') throw failure;
    return outcome.kind;
  }

  async #send(action: WriteAction, signal: AbortSignal): Promise<WriteOutcome> {
    if (action.kind === 'delete') {
      await this.#api.delete(action.object, action.object.uid, signal);
      return { kind: 'deleted' };
    }
    const { resource, object } = action.desired;
    const { name, namespace = '' } = object.metadata;
    if (action.kind === 'look') {
      const found = await this.#api.get({ resource, namespace, name }, signal);
      return { kind: 'found', object: found && mapObject(resource, found) };
    }
    if (action.kind === 'replace-ports') {
      await this.#api.patch(resource, action.patch, signal);
      return { kind: 'patched' };
    }
    const applied = await this.#api.apply(resource, object, { force: action.force }, signal);
    return { kind: 'applied', object: mapObject(resource, applied) };
  }
}

/** @throws errors that are no answer of the API server */
function outcomeOf(error: unknown, action: WriteAction): WriteOutcome {
  if (!(error instanceof ApiError)) throw error;
  const { status, message } = error;
  const { resource, namespace, name } = objectOf(action);
  const refusal = { resource, namespace, name, message };
  return isRefusal(error) ? { kind: 'refused', status, refusal } : { kind: 'failed', refusal };
}

/** The API server, or a webhook, refuses the request: to ask again at once would not help. */
function isRefusal({ status, message }: ApiError): boolean {
  // The rest of the store goes on, and the status names the webhook.
  if (status === 500) return message.includes('failed calling webhook');
  return status === 403 || status === 404 || status === 409 || status === 422 || status === 400;
}
