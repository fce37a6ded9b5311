import { setTimeout as sleep } from 'node:timers/promises';
import { ApiError, type KubernetesApi, type KubernetesObject } from './api.ts';
import { type LeaseTimes, newLease, Observation, released, takenBy } from './lease.ts';
import { LEASES } from './resources.ts';
import { TimeLimitError, withinLimit } from './time-limit.ts';

const TIMES: LeaseTimes = { durationSeconds: 15, renewDeadlineSeconds: 10, retryPeriodSeconds: 2 };
/** How long giving the lease up may take; without it candidates wait a little longer. */
const RELEASE_LIMIT_MS = 3_000;

export interface LeaderElectionOptions {
  readonly api: KubernetesApi;
  readonly namespace: string;
  readonly name: string;
  /** of this process and no other, ever: the pod's name and a random part */
  readonly identity: string;
  readonly times?: LeaseTimes;
  /** Called for each attempt that failed; another one follows. */
  readonly onFailure?: (failure: Error) => void;
}

/** The lease could not be renewed in time, or another has it. */
export class LeadershipLostError extends Error {
  static {
    LeadershipLostError.prototype.name = 'LeadershipLostError';
  }
}

/**
 * Lets a single process of several lead, by a Lease that it renews. Clocks of different machines are never compared: a candidate waits
 * until it has itself seen a lease unchanged for the lease's duration.
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
   * Waits to be the leader, and runs `lead` until that ends. The signal of `lead` is aborted when `signal` is, or when the lease is
   * lost. Gives the lease up afterwards. A rejection of `lead` is passed on.
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
      const { durationSeconds, renewDeadlineSeconds } = this.#times;
      await sleep((durationSeconds - renewDeadlineSeconds) * 1_000, undefined, {
        signal: ended.signal,
      }).catch(() => {});
      throw lost;
    }
    await this.#release();
    await leading.catch((error: unknown) => {
      if (error !== signal.reason) throw error;
    });
  }

  /** @returns `undefined` once the signal is aborted */
  async #acquire(signal: AbortSignal): Promise<Held | undefined> {
    const limit = this.#times.renewDeadlineSeconds * 1_000;
    while (!signal.aborted) {
      try {
        const held = await withinLimit(limit, signal, (limited) => this.#take(limited));
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
    const deadline = this.#times.renewDeadlineSeconds * 1_000;
    const left = () => held.sentAtMs + deadline - performance.now();
    let longestPauseMs = Number.POSITIVE_INFINITY;
    for (;;) {
      await this.#pause(Math.min(left(), longestPauseMs), ended);
      if (ended.aborted) return undefined;
      if (left() <= 0)
        return new LeadershipLostError(`not renewed for ${this.#times.renewDeadlineSeconds} seconds`);
      longestPauseMs = Number.POSITIVE_INFINITY;
      // One request that is never answered leaves time for another, on another connection.
      const limit = Math.min(left(), deadline / 2);
      try {
        held = await withinLimit(limit, ended, (limited) => this.#renew(held.lease, limited));
      } catch (error) {
        if (error instanceof LeadershipLostError) return error;
        this.#fail(error, ended);
        if (error instanceof TimeLimitError) longestPauseMs = 0;
      }
    }
  }

  async #renew(lease: KubernetesObject, signal: AbortSignal): Promise<Held> {
    const { api, identity } = this.#options;
    try {
      const sentAtMs = performance.now();
      return { sentAtMs, lease: await api.replace(LEASES, takenBy(lease, this.#candidate()), signal) };
    } catch (error) {
      // The lease was changed or removed by others, or the answer to an earlier renewal was lost.
      if (!isOneOf(error, [404, 409])) throw error;
    }
    const current = await this.#take(signal);
    if (current !== undefined) return current;
    const { holder } = this.#observation;
    if (holder !== undefined && holder !== identity)
      throw new LeadershipLostError(`${holder} holds the lease`);
    throw new Error('the lease was changed at the same time');
  }

  /** The lease, if it was free or ours already, and is ours now. */
  async #take(signal: AbortSignal): Promise<Held | undefined> {
    const { api, namespace, name, identity } = this.#options;
    const current = await api.get({ resource: LEASES, namespace, name }, signal);
    const sentAtMs = performance.now();
    try {
      if (current === undefined) {
        const lease = newLease(namespace, name, this.#candidate());
        return { sentAtMs, lease: await api.create(LEASES, lease, signal) };
      }
      this.#observation.see(current, sentAtMs);
      if (!this.#observation.isFree(identity, sentAtMs, this.#times.durationSeconds)) return undefined;
      return { sentAtMs, lease: await api.replace(LEASES, takenBy(current, this.#candidate()), signal) };
    } catch (error) {
      if (isOneOf(error, [404, 409])) return undefined;
      throw error;
    }
  }

  async #release(): Promise<void> {
    const { api, namespace, name, identity } = this.#options;
    const limit = AbortSignal.timeout(RELEASE_LIMIT_MS);
    try {
      // Read it again: a renewal may have been on its way when leading ended.
      const lease = await api.get({ resource: LEASES, namespace, name }, limit);
      const holder = (lease?.spec as { holderIdentity?: string } | undefined)?.holderIdentity;
      if (lease !== undefined && holder === identity) {
        await api.replace(LEASES, released(lease, new Date()), limit);
      }
    } catch (error) {
      this.#options.onFailure?.(error as Error);
    }
  }

  #candidate() {
    return {
      identity: this.#options.identity,
      durationSeconds: this.#times.durationSeconds,
      now: new Date(),
    };
  }

  #fail(error: unknown, signal: AbortSignal): void {
    if (!signal.aborted) this.#options.onFailure?.(error as Error);
  }

  /** Waits for the retry period, or `atMostMs` where that is shorter. */
  async #pause(atMostMs: number, signal: AbortSignal): Promise<void> {
    const periodMs = this.#times.retryPeriodSeconds * 1_000 * (1 + Math.random() / 5);
    await sleep(Math.max(0, Math.min(periodMs, atMostMs)), undefined, { signal }).catch(() => {});
  }
}

interface Held {
  readonly lease: KubernetesObject;
  /** when the request that took or renewed it was sent; monotonic */
  readonly sentAtMs: number;
}

function isOneOf(error: unknown, statuses: readonly number[]): boolean {
  return error instanceof ApiError && statuses.includes(error.status);
}
