import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, type KubernetesApi, type KubernetesObject } from './api.ts';
import { claimed, type LeaseTimes, newLease, Observation, released } from './lease.ts';
import { LEASES } from './resources.ts';
import { TimeLimitError, withinLimit } from './time-limit.ts';

const TIMES: LeaseTimes = { duration: 15, renewDeadline: 10, retryPeriod: 2 };
/** ms that giving the lease up may take; candidates wait a little longer without it */
const RELEASE_LIMIT = 3_000;

export interface LeaderElectionOptions {
  readonly api: KubernetesApi;
  readonly namespace: string;
  readonly name: string;
  /** Of this process and no other, ever: the pod's name and something random. */
  readonly identity: string;
  readonly times?: LeaseTimes;
  /** Told of every attempt that failed; the next one follows. */
  readonly onFailure?: (failure: Error) => void;
}

/** The lease could not be renewed in time, or another has it. */
export class LeadershipLostError extends Error {
  static {
    LeadershipLostError.prototype.name = 'LeadershipLostError';
  }
}

/**
 * Of several processes, lets one lead, by a Lease that it renews. Clocks of different machines are never compared: a
 * candidate waits until it has itself seen a lease unchanged for the lease's duration.
 */
export class LeaderElection {
  readonly #options: LeaderElectionOptions;
  readonly #times: LeaseTimes;
  readonly #observation = new Observation();
  #isLeader = false;

  constructor(options: LeaderElectionOptions) {
    this.#options = options;
    this.#times = options.times ?? TIMES;
  }

  get isLeader(): boolean {
    return this.#isLeader;
  }

  /**
   * Waits to be the leader and runs `lead` until it ends, which it should when its signal is aborted: when `signal`
   * is, or the lease is lost. Gives the lease up afterwards. What `lead` rejects with is passed on.
   * @throws LeadershipLostError when the lease was lost, as soon as `lead` has ended but no later than another may
   * begin to lead. Whatever `lead` left running must not go on after it: end the process.
   */
  async run(signal: AbortSignal, lead: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const held = await this.#acquire(signal);
    if (held === undefined) return;
    const stop = new AbortController();
    const ended = new AbortController();
    const onAbort = () => stop.abort(signal.reason);
    signal.addEventListener('abort', onAbort);
    if (signal.aborted) onAbort();
    this.#isLeader = true;
    const leading = lead(stop.signal).finally(() => ended.abort());
    leading.catch(() => {});
    const lost = await this.#hold(held, ended.signal);
    signal.removeEventListener('abort', onAbort);
    this.#isLeader = false;
    if (lost !== undefined) {
      stop.abort(lost);
      const { duration, renewDeadline } = this.#times;
      await sleep((duration - renewDeadline) * 1_000, undefined, { signal: ended.signal }).catch(() => {});
      throw lost;
    }
    await this.#release();
    await leading.catch((error: unknown) => {
      if (error !== signal.reason) throw error;
    });
  }

  /** @returns `undefined` once the signal is aborted */
  async #acquire(signal: AbortSignal): Promise<Held | undefined> {
    const limit = this.#times.renewDeadline * 1_000;
    while (!signal.aborted) {
      try {
        const held = await withinLimit(limit, signal, (limited) => this.#claim(limited));
        if (held !== undefined) return held;
      } catch (error) {
        this.#fail(error, signal);
      }
      await this.#pause(Number.POSITIVE_INFINITY, signal);
    }
    return undefined;
  }

  /** Renews until `ended`. @returns why it was lost, if it was */
  async #hold(first: Held, ended: AbortSignal): Promise<LeadershipLostError | undefined> {
    let held = first;
    const deadline = this.#times.renewDeadline * 1_000;
    const left = () => held.sentAt + deadline - performance.now();
    let longestPause = Number.POSITIVE_INFINITY;
    for (;;) {
      await this.#pause(Math.min(left(), longestPause), ended);
      if (ended.aborted) return undefined;
      if (left() <= 0) return new LeadershipLostError(`not renewed for ${this.#times.renewDeadline} seconds`);
      longestPause = Number.POSITIVE_INFINITY;
      // One request that is never answered leaves time for another, on another connection.
      const limit = Math.min(left(), deadline / 2);
      try {
        held = await withinLimit(limit, ended, (limited) => this.#renew(held.lease, limited));
      } catch (error) {
        if (error instanceof LeadershipLostError) return error;
        this.#fail(error, ended);
        if (error instanceof TimeLimitError) longestPause = 0;
      }
    }
  }

  async #renew(lease: KubernetesObject, signal: AbortSignal): Promise<Held> {
    const { api, identity } = this.#options;
    try {
      const sentAt = performance.now();
      return { sentAt, lease: await api.replace(LEASES, claimed(lease, this.#claimNow()), signal) };
    } catch (error) {
      // Somebody has touched it, or removed it; or the answer to an earlier renewal was lost.
      if (!isOneOf(error, [404, 409])) throw error;
    }
    const current = await this.#claim(signal);
    if (current !== undefined) return current;
    const { holder } = this.#observation;
    if (holder !== undefined && holder !== identity)
      throw new LeadershipLostError(`${holder} holds the lease`);
    throw new Error('the lease was changed at the same time');
  }

  /** The lease, if it was free, or ours already, and is ours now. */
  async #claim(signal: AbortSignal): Promise<Held | undefined> {
    const { api, namespace, name, identity } = this.#options;
    const current = await api.get({ resource: LEASES, namespace, name }, signal);
    const sentAt = performance.now();
    try {
      if (current === undefined) {
        const lease = newLease(namespace, name, this.#claimNow());
        return { sentAt, lease: await api.create(LEASES, lease, signal) };
      }
      this.#observation.see(current, sentAt);
      if (!this.#observation.isFree(identity, sentAt, this.#times.duration)) return undefined;
      return { sentAt, lease: await api.replace(LEASES, claimed(current, this.#claimNow()), signal) };
    } catch (error) {
      if (isOneOf(error, [404, 409])) return undefined;
      throw error;
    }
  }

  async #release(): Promise<void> {
    const { api, namespace, name, identity } = this.#options;
    const limit = AbortSignal.timeout(RELEASE_LIMIT);
    try {
      // As it is now: a renewal may have been on its way when it was no longer wanted.
      const lease = await api.get({ resource: LEASES, namespace, name }, limit);
      const holder = (lease?.spec as { holderIdentity?: string } | undefined)?.holderIdentity;
      if (lease !== undefined && holder === identity) {
        await api.replace(LEASES, released(lease, new Date()), limit);
      }
    } catch (error) {
      this.#options.onFailure?.(error as Error);
    }
  }

  #claimNow() {
    return { identity: this.#options.identity, duration: this.#times.duration, now: new Date() };
  }

  #fail(error: unknown, signal: AbortSignal): void {
    if (!signal.aborted) this.#options.onFailure?.(error as Error);
  }

  /** The retry period, or `atMost` ms. */
  async #pause(atMost: number, signal: AbortSignal): Promise<void> {
    const period = this.#times.retryPeriod * 1_000 * (1 + Math.random() / 5);
    await sleep(Math.max(0, Math.min(period, atMost)), undefined, { signal }).catch(() => {});
  }
}

interface Held {
  readonly lease: KubernetesObject;
  /** ms, monotonic: when the request was sent by which it was taken or renewed */
  readonly sentAt: number;
}

function isOneOf(error: unknown, statuses: readonly number[]): boolean {
  return error instanceof ApiError && statuses.includes(error.status);
}
