import { ApiError, type KubernetesApi, type ResourceKind } from '../kubernetes/api.ts';
import { NETWORK_POLICIES, SERVICE_ACCOUNTS } from '../kubernetes/resources.ts';
import type { DesiredObject } from '../stores/desired-objects.ts';
import { mapObject } from '../stores/mapping/object.ts';
import type { ObservedObject, ObservedStore, Refusal } from '../stores/observed.ts';
import { obsoleteObjects } from '../stores/obsolete-objects.ts';
import { onlyOurPorts } from '../stores/only-our-ports.ts';
import { identityOf, identityOfDesired, isOurs, objectsInTheWay } from '../stores/ownership.ts';
import { podNeeds } from '../stores/pod-needs.ts';
import type { StoreResource } from '../stores/read-store.ts';
import { AppliedObjects } from './applied-objects.ts';

/** ms until what was refused is tried again, longer each time: a quota may have been raised */
const FIRST_RETRY = 2_000;
const LONGEST_RETRY = 60_000;

/** The API server's words on two ports of one name. */
const PORT_TWICE = /ports\[\d+\]\.name: Duplicate value/;

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
    /** what is not there, or is somebody else's: no pod is made that would use it */
    const lacking = new Set<string>();
    let lookAgainAfter = Number.POSITIVE_INFINITY;
    for (const each of desired) {
      const identity = identityOfDesired(each);
      if (podNeeds(each).some((needed) => lacking.has(needed))) continue;
      if (inTheWay.has(identity)) {
        await this.#lookAt(each, observed.store, signal);
        if (isPolicy(each)) break;
        lacking.add(identity);
        continue;
      }
      const found = live.get(identity);
      const verdict = this.#applied.judge(identity, each.hash, found && versionOf(found), now);
      if (!verdict.apply) {
        lookAgainAfter = Math.min(lookAgainAfter, verdict.lookAgainAfter ?? Number.POSITIVE_INFINITY);
        continue;
      }
      const outcome = await this.#apply(each, found, observed.store, now, signal);
      if (outcome === 'applied') continue;
      if (outcome !== 'foreign') refusals.push(outcome);
      if (found !== undefined) continue;
      if (isPolicy(each)) break;
      lacking.add(identity);
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
    store: StoreResource,
    now: number,
    signal: AbortSignal,
  ): Promise<'applied' | 'foreign' | Refusal> {
    const { resource, object } = desired;
    try {
      // Nothing in an account would conflict, so that one of somebody else has to be looked for.
      const isUnseen = found === undefined && resource === SERVICE_ACCOUNTS;
      if (isUnseen && (await this.#lookAt(desired, store, signal)) === 'foreign') return 'foreign';
      await this.#applyNow(desired, found !== undefined, now, signal);
      return 'applied';
    } catch (error) {
      const refusal = refusalOf(resource, object.metadata.name)(error);
      if (!(await this.#canBeForced(error as ApiError, desired, found, store, signal))) return refusal;
    }
    try {
      await this.#applyNow(desired, true, now, signal);
      return 'applied';
    } catch (error) {
      return refusalOf(resource, object.metadata.name)(error);
    }
  }

  /** Whether what was refused is worth another try, by force. */
  async #canBeForced(
    { status, message }: ApiError,
    desired: DesiredObject,
    found: ObservedObject | undefined,
    store: StoreResource,
    signal: AbortSignal,
  ): Promise<boolean> {
    // Without our labels, the mirrors do not show what is ours all the same.
    if (found === undefined) return status === 409 && (await this.#lookAt(desired, store, signal)) === 'ours';
    const { resource, object } = desired;
    const isTwice = status === 422 && PORT_TWICE.test(message);
    const ports = isTwice ? onlyOurPorts(object) : undefined;
    if (ports === undefined) return false;
    const refused = await this.#api
      .patch(resource, ports, signal)
      .then(() => undefined, refusalOf(resource, object.metadata.name));
    return refused === undefined;
  }

  async #applyNow(desired: DesiredObject, force: boolean, now: number, signal: AbortSignal): Promise<void> {
    const { resource, object, hash } = desired;
    const applied = await this.#api.apply(resource, object, { force }, signal);
    const identity = identityOfDesired(desired);
    this.#applied.record(identity, hash, versionOf(mapObject(resource, applied)), now);
    this.#foreign.delete(identity);
  }

  /** Whose the object of that name is, as the API server has it. */
  async #lookAt(
    desired: DesiredObject,
    store: StoreResource,
    signal: AbortSignal,
  ): Promise<'absent' | 'ours' | 'foreign'> {
    const { resource, object } = desired;
    const { name, namespace = '' } = object.metadata;
    const identity = identityOfDesired(desired);
    const there = await this.#api.get({ resource, namespace, name }, signal);
    const observed = there && mapObject(resource, there);
    const isForeign = observed !== undefined && !isOurs(observed, store);
    if (isForeign) this.#foreign.set(identity, observed);
    else this.#foreign.delete(identity);
    if (observed === undefined) return 'absent';
    return isForeign ? 'foreign' : 'ours';
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

/** The API server understood and will not, or a webhook keeps it from it: to ask again at once would not help. */
function isRefusal({ status, message }: ApiError): boolean {
  // Which webhook that is and what is wrong with it is for people to see; the rest of the store goes on.
  if (status === 500) return message.includes('failed calling webhook');
  return status === 403 || status === 404 || status === 409 || status === 422 || status === 400;
}

/**
 * Another one whenever somebody changes the object. Where the API server counts what is desired (`generation`) that, as what
 * controllers report is no change; it leaves out metadata, so that what ties the object to its store comes with it.
 */
function versionOf({ uid, generation, resourceVersion, ...ties }: ObservedObject): string {
  if (generation === undefined) return resourceVersion;
  return [uid, generation, ties.controller, ties.store, ties.objectHash].join(' ');
}
