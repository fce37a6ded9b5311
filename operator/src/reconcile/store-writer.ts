import { ApiError, type KubernetesApi, type ResourceKind } from '../kubernetes/api.ts';
import { NETWORK_POLICIES, SERVICE_ACCOUNTS } from '../kubernetes/resources.ts';
import type { DesiredObject } from '../stores/desired-objects.ts';
import { STORE_LABEL } from '../stores/labels.ts';
import type { ObservedObject, ObservedStore, Refusal } from '../stores/observed.ts';
import { obsoleteObjects } from '../stores/obsolete-objects.ts';
import { identityOf, identityOfDesired, objectsInTheWay } from '../stores/ownership.ts';
import { projectObject } from '../stores/project/project-object.ts';
import { AppliedObjects } from './applied-objects.ts';

/** ms until what was refused is tried again, longer each time: a quota may have been raised */
const FIRST_RETRY = 2_000;
const LONGEST_RETRY = 60_000;

export interface Written {
  readonly refusals: readonly Refusal[];
  /** ms after which to look again whether something was changed by others */
  readonly lookAgainAfter: number;
}

/** Brings the objects of one store to what is desired, and remembers what it did. */
export class StoreWriter {
  readonly #api: KubernetesApi;
  readonly #applied = new AppliedObjects();
  /** by identity: what has a name that the store needs and does not bear the store's label */
  readonly #foreign = new Map<string, ObservedObject>();
  #refusedInARow = 0;

  constructor(api: KubernetesApi) {
    this.#api = api;
  }

  /** Objects of others, found when theirs was the name of one of ours. */
  get foreignObjects(): readonly ObservedObject[] {
    return [...this.#foreign.values()];
  }

  /**
   * @param now ms, monotonic
   * @throws ApiError when the API server cannot answer; what it refuses is returned
   */
  async write(
    observed: ObservedStore,
    desired: readonly DesiredObject[],
    now: number,
    signal: AbortSignal,
  ): Promise<Written> {
    const live = new Map(observed.objects.map((object) => [identityOf(object), object]));
    const inTheWay = new Set(objectsInTheWay(observed, desired).map(identityOf));
    const refusals: Refusal[] = [];
    let lookAgainAfter = Number.POSITIVE_INFINITY;
    for (const each of desired) {
      const identity = identityOfDesired(each);
      if (inTheWay.has(identity)) {
        await this.#lookAtForeign(each, signal);
        if (isPolicy(each)) break;
        continue;
      }
      const found = live.get(identity);
      const verdict = this.#applied.judge(identity, each.hash, found && versionOf(found), now);
      if (!verdict.apply) {
        lookAgainAfter = Math.min(lookAgainAfter, verdict.lookAgainAfter ?? Number.POSITIVE_INFINITY);
        continue;
      }
      const refusal = await this.#apply(each, found, now, signal);
      if (refusal === undefined) continue;
      refusals.push(refusal);
      if (isPolicy(each) && found === undefined) break;
    }
    for (const { resource, namespace, name, uid } of obsoleteObjects(observed, desired)) {
      const refusal = await this.#api
        .delete({ resource, namespace, name }, uid, signal)
        .catch(refusalOf(resource, name));
      if (refusal) refusals.push(refusal);
      else this.#applied.forget(identityOf({ resource, name }));
    }
    this.#refusedInARow = refusals.length === 0 && inTheWay.size === 0 ? 0 : this.#refusedInARow + 1;
    return { refusals, lookAgainAfter: Math.min(lookAgainAfter, this.#retryAfter) };
  }

  get #retryAfter(): number {
    if (this.#refusedInARow === 0) return Number.POSITIVE_INFINITY;
    return Math.min(FIRST_RETRY * 2 ** (this.#refusedInARow - 1), LONGEST_RETRY);
  }

  async #apply(
    desired: DesiredObject,
    found: ObservedObject | undefined,
    now: number,
    signal: AbortSignal,
  ): Promise<Refusal | undefined> {
    const { resource, object, hash } = desired;
    try {
      // Nothing in an account would conflict, so that one of somebody else has to be looked for.
      if (
        found === undefined &&
        resource === SERVICE_ACCOUNTS &&
        (await this.#lookAtForeign(desired, signal))
      )
        return undefined;
      const applied = await this.#api.apply(resource, object, { force: found !== undefined }, signal);
      this.#applied.record(
        identityOfDesired(desired),
        hash,
        versionOf(projectObject(resource, applied)),
        now,
      );
      return undefined;
    } catch (error) {
      const refusal = refusalOf(resource, object.metadata.name)(error);
      if ((error as ApiError).status === 409) await this.#lookAtForeign(desired, signal);
      return refusal;
    }
  }

  /** Whether there is an object of that name which does not bear our label. */
  async #lookAtForeign(desired: DesiredObject, signal: AbortSignal): Promise<boolean> {
    const { resource, object } = desired;
    const { name, namespace = '', labels } = object.metadata;
    const identity = identityOfDesired(desired);
    const there = await this.#api.get({ resource, namespace, name }, signal);
    const observed = there && projectObject(resource, there);
    const isForeign = observed !== undefined && observed.store !== labels?.[STORE_LABEL];
    if (isForeign) this.#foreign.set(identity, observed);
    else this.#foreign.delete(identity);
    return isForeign;
  }
}

/** Without the policy, what it should protect would be open to everybody: nothing that comes after it is made. */
function isPolicy({ resource }: DesiredObject): boolean {
  return resource === NETWORK_POLICIES;
}

/** What the API server refused, of what it answered. Anything else is thrown on. */
function refusalOf(resource: ResourceKind, name: string): (error: unknown) => Refusal {
  return (error) => {
    if (!(error instanceof ApiError) || !isRefusal(error)) throw error;
    return { resource, name, reason: error.reason, message: error.message };
  };
}

/** The API server understood and will not: to ask again at once would not help. */
function isRefusal({ status }: ApiError): boolean {
  return status === 403 || status === 404 || status === 409 || status === 422 || status === 400;
}

/**
 * Another one whenever somebody changes the object. Where the API server counts what is desired (`generation`) that, as what
 * controllers report is no change; it leaves out metadata, so that what ties the object to its store comes with it.
 */
function versionOf({ generation, resourceVersion, controller, store, objectHash }: ObservedObject): string {
  if (generation === undefined) return resourceVersion;
  return [generation, controller, store, objectHash].join(' ');
}
