import type { FoundLease, Lease, LeaseHolder } from './lease.ts';

/** A process that wants to use the storage. */
export interface LeaseUser extends LeaseHolder {
  /** `spec.storage.shared`: uses the storage beside others that share it too */
  readonly shared: boolean;
  /** a reaper has no right to put, and goes by what others wrote */
  readonly mayWrite: boolean;
}

export const LEASE_TIMES = {
  /** between two looks of a process that renews the lease */
  lookEveryMs: 15_000,
  /** age from which a look renews it: processes of one holder so share the cost */
  renewAfterMs: 10_000,
  /** how long it holds without being renewed */
  holdsForMs: 120_000,
  /** how long another's lease that seems over is watched: a holder that lives, whatever its clock says, renews it meanwhile */
  watchForMs: 30_000,
  /** how long after it was written it must be there still, before anything is deleted */
  confirmAfterMs: 10_000,
};

export type LeaseTimes = Readonly<typeof LEASE_TIMES>;

/** What was read, and how old it is. */
export interface LeaseObservation {
  readonly found: FoundLease;
  /** ms for which this process has seen the same, by its monotonic clock */
  readonly seenForMs: number;
  /** ms since the epoch, by our clock */
  readonly now: number;
  /** the difference allowed between the clocks of any two processes, ms */
  readonly clockToleranceMs: number;
}

export type LeaseDecision =
  /** It is ours, or that of a resource that shares the storage with us. */
  | { readonly kind: 'hold'; readonly renew: boolean }
  /** There is none: write it, unless another process is faster. */
  | { readonly kind: 'begin' }
  /** It was another's, and is over. */
  | { readonly kind: 'takeOver' }
  /** It becomes free, or a gateway writes it, by itself; look again after so many ms. */
  | { readonly kind: 'wait'; readonly milliseconds: number }
  /** Another resource uses the storage. */
  | { readonly kind: 'refuse' };

interface Situation extends LeaseObservation {
  readonly user: LeaseUser;
  readonly times: LeaseTimes;
}

/** What a lease means to a process that wants to use the storage. */
export function decideLease(
  observation: LeaseObservation,
  user: LeaseUser,
  times: LeaseTimes,
): LeaseDecision {
  const situation = { ...observation, user, times };
  const { found } = observation;
  if (found === 'absent') return decideAbsent(situation);
  if (found === 'unreadable') return decideOver(situation);
  if (found.holder === user.holder || (found.shared && user.shared)) {
    return { kind: 'hold', renew: user.mayWrite && isRenewalDue(found, situation) };
  }
  if (isOver(found, situation)) return decideOver(situation);
  if (!isPredecessor(found, user)) return { kind: 'refuse' };
  return { kind: 'wait', milliseconds: longestUntilOver(found, situation) };
}

/** A storage of 0.1 has none. When no gateway writes one for as long as a lease holds, none of this version uses it. */
function decideAbsent({ seenForMs, user, times: { holdsForMs } }: Situation): LeaseDecision {
  if (user.mayWrite) return { kind: 'begin' };
  if (seenForMs >= holdsForMs) return { kind: 'hold', renew: false };
  return { kind: 'wait', milliseconds: holdsForMs - seenForMs };
}

function decideOver({ seenForMs, user, times: { watchForMs, lookEveryMs } }: Situation): LeaseDecision {
  if (seenForMs < watchForMs) return { kind: 'wait', milliseconds: watchForMs - seenForMs };
  return user.mayWrite ? { kind: 'takeOver' } : { kind: 'wait', milliseconds: lookEveryMs };
}

function isRenewalDue(lease: Lease, { now, seenForMs, user, times }: Situation): boolean {
  if (lease.released || Math.max(now - lease.renewed, seenForMs) >= times.renewAfterMs) return true;
  return lease.holder === user.holder && lease.shared !== user.shared;
}

/** A time in the future proves nothing. So a lease that is never renewed is over once we have seen it unchanged for long enough. */
function isOver({ released, renewed }: Lease, { now, seenForMs, clockToleranceMs, times }: Situation) {
  const { holdsForMs } = times;
  return released || now - renewed > holdsForMs + clockToleranceMs || seenForMs >= holdsForMs;
}

/** A cluster has one resource of a name at a time: the pods of the one before are ending. */
function isPredecessor(found: Lease, user: LeaseUser): boolean {
  return found.cluster !== undefined && found.cluster === user.cluster && found.store === user.store;
}

function longestUntilOver(
  { renewed }: Lease,
  { now, seenForMs, clockToleranceMs, times }: Situation,
): number {
  const byClock = times.holdsForMs + clockToleranceMs - (now - renewed);
  return Math.max(Math.min(byClock, times.holdsForMs - seenForMs), times.watchForMs - seenForMs, 0);
}
