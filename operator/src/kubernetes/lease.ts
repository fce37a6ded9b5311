import type { KubernetesObject } from './api.ts';
import { apiVersionOf, LEASES } from './resources.ts';

/** s, as of client-go */
export interface LeaseTimes {
  /** that a lease is another's, from when it was last seen to be renewed */
  readonly duration: number;
  /** after its last renewal was sent, in which a leader that cannot renew must stop leading; less than `duration` */
  readonly renewDeadline: number;
  /** between attempts, spread by up to a fifth */
  readonly retryPeriod: number;
}

interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

export interface LeaseClaim {
  readonly identity: string;
  readonly duration: number;
  readonly now: Date;
}

export function newLease(namespace: string, name: string, claim: LeaseClaim): KubernetesObject {
  const empty = { apiVersion: apiVersionOf(LEASES), kind: LEASES.kind, metadata: { namespace, name } };
  const lease = claimed(empty, claim);
  return { ...lease, spec: { ...specOf(lease), leaseTransitions: 0 } };
}

/** The lease taken over, or renewed by its holder. Fields that this version does not know stay. */
export function claimed(lease: KubernetesObject, { identity, duration, now }: LeaseClaim): KubernetesObject {
  const before = specOf(lease);
  const renewTime = microTime(now);
  const takeover =
    before.holderIdentity === identity
      ? {}
      : { acquireTime: renewTime, leaseTransitions: (before.leaseTransitions ?? 0) + 1 };
  const spec = {
    ...before,
    ...takeover,
    holderIdentity: identity,
    leaseDurationSeconds: duration,
    renewTime,
  };
  return { ...lease, spec };
}

/** The lease given up: whoever sees it may have it at once. */
export function released(lease: KubernetesObject, now: Date): KubernetesObject {
  const spec = { ...specOf(lease), holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime(now) };
  return { ...lease, spec };
}

/** What a process has seen of a lease, by its own monotonic clock. */
export class Observation {
  #lease: LeaseSpec | undefined;
  #changedAt = 0;

  get holder(): string | undefined {
    return this.#lease?.holderIdentity || undefined;
  }

  /** @param at ms, monotonic, not before the lease was read */
  see(lease: KubernetesObject, at: number): void {
    const spec = specOf(lease);
    const isSame =
      this.#lease?.renewTime === spec.renewTime && this.#lease?.holderIdentity === spec.holderIdentity;
    if (this.#lease === undefined || !isSame) this.#changedAt = at;
    this.#lease = spec;
  }

  /** Nobody else holds it. A holder keeps it for the duration that it has told, after the last change that was seen. */
  isFree(identity: string, at: number, duration: number): boolean {
    const holder = this.holder;
    if (holder === undefined || holder === identity) return true;
    return at - this.#changedAt >= (this.#lease?.leaseDurationSeconds ?? duration) * 1_000;
  }
}

function specOf(lease: KubernetesObject): LeaseSpec {
  return (lease.spec ?? {}) as LeaseSpec;
}

/** RFC 3339 with six digits of a second, as the API wants a MicroTime. */
export function microTime(time: Date): string {
  return time.toISOString().replace('Z', '000Z');
}
