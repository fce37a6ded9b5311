import type { KubernetesObject } from './api.ts';
import { kindOf, LEASES } from './resources.ts';

/** The defaults are those of client-go. */
export interface LeaseTimes {
  /** how long a lease belongs to its holder after it was last seen to be renewed */
  readonly durationSeconds: number;
  /** how long after its last renewal a leader that cannot renew stops leading; less than `durationSeconds` */
  readonly renewDeadlineSeconds: number;
  /** pause between attempts, up to a fifth longer at random */
  readonly retryPeriodSeconds: number;
}

interface LeaseSpec {
  readonly holderIdentity?: string;
  readonly leaseDurationSeconds?: number;
  readonly acquireTime?: string;
  readonly renewTime?: string;
  readonly leaseTransitions?: number;
}

interface Candidate {
  readonly identity: string;
  readonly durationSeconds: number;
  readonly now: Date;
}

export function newLease(namespace: string, name: string, candidate: Candidate): KubernetesObject {
  const empty = { ...kindOf(LEASES), metadata: { namespace, name } };
  const lease = takenBy(empty, candidate);
  return { ...lease, spec: { ...specOf(lease), leaseTransitions: 0 } };
}

/** The lease taken over, or renewed by its holder. Fields that this version does not know stay. */
export function takenBy(
  lease: KubernetesObject,
  { identity, durationSeconds, now }: Candidate,
): KubernetesObject {
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
    leaseDurationSeconds: durationSeconds,
    renewTime,
  };
  return { ...lease, spec };
}

/** The lease given up: any candidate may take it at once. */
export function released(lease: KubernetesObject, now: Date): KubernetesObject {
  const spec = { ...specOf(lease), holderIdentity: '', leaseDurationSeconds: 1, renewTime: microTime(now) };
  return { ...lease, spec };
}

/** How a process has seen a lease change, by its own monotonic clock. */
export class Observation {
  #lease: LeaseSpec | undefined;
  #changedAtMs = 0;

  get holder(): string | undefined {
    return this.#lease?.holderIdentity || undefined;
  }

  /** @param atMs monotonic, not before the lease was read */
  see(lease: KubernetesObject, atMs: number): void {
    const spec = specOf(lease);
    const isSame =
      this.#lease?.renewTime === spec.renewTime && this.#lease?.holderIdentity === spec.holderIdentity;
    if (this.#lease === undefined || !isSame) this.#changedAtMs = atMs;
    this.#lease = spec;
  }

  /** Whether no other process holds it. A holder keeps it for its duration after the last change that was seen. */
  isFree(identity: string, atMs: number, durationSeconds: number): boolean {
    const holder = this.holder;
    if (holder === undefined || holder === identity) return true;
    return atMs - this.#changedAtMs >= (this.#lease?.leaseDurationSeconds ?? durationSeconds) * 1_000;
  }
}

function specOf(lease: KubernetesObject): LeaseSpec {
  return (lease.spec ?? {}) as LeaseSpec;
}

/** RFC 3339 with six digits of a second, as the API wants a MicroTime. */
export function microTime(time: Date): string {
  return time.toISOString().replace('Z', '000Z');
}
