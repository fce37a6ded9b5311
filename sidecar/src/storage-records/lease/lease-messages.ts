import type { Reason } from '@largepayload/crds';
import { StorageInUseError } from '../../errors/storage-in-use-error.ts';
import { describeHolder, type FoundLease, type Lease } from './lease.ts';
import type { LeaseDecision, LeaseUser } from './lease-decision.ts';

/** A release is to be noticed soon. */
const LONGEST_PAUSE_MS = 5_000;

/** Why the storage cannot be used now, and what to do. */
export function inUse(
  found: FoundLease,
  decision: Extract<LeaseDecision, { kind: 'wait' | 'refuse' }>,
  user: LeaseUser,
): StorageInUseError {
  if (decision.kind === 'refuse') return refusal(found as Lease, user);
  const { milliseconds } = decision;
  const seconds = Math.ceil(milliseconds / 1_000);
  const retryAfterMs = Math.min(milliseconds, LONGEST_PAUSE_MS);
  return new StorageInUseError(waitMessage(found, seconds, user), waitReason(found, user), retryAfterMs);
}

function refusal(found: Lease, user: LeaseUser): StorageInUseError {
  const holder = describeHolder(found);
  const since = new Date(found.since).toISOString();
  const shareIn = found.shared ? 'here' : user.shared ? 'there' : 'both';
  const where = { here: 'here too', there: 'there too', both: 'in both' }[shareIn];
  return new StorageInUseError(
    `the storage is in use by ${holder} since ${since}; nothing is stored or deleted here. If that one has gone, its lease ends two minutes after the last renewal, and who waits, or starts then, takes the storage over. If it has not: give each store a bucket, prefix or folder of its own, or, to share it on purpose, say storage.shared: true ${where}`,
    { name: 'StorageInUse', holder, since, shareIn },
  );
}

function waitMessage(found: FoundLease, seconds: number, { mayWrite }: LeaseUser): string {
  if (found === 'absent') {
    return `the storage has no lease.json yet, which a gateway of the store writes; where none does, this process goes on in ${seconds} s`;
  }
  const whose =
    found === 'unreadable'
      ? 'lease.json cannot be read, and counts as over'
      : `it was used by ${describeHolder(found)}, which ${found.released ? 'has ended' : 'may be ending'}`;
  if (!mayWrite) return `waits until a gateway of the store takes the storage over: ${whose}`;
  return `waits for the storage for at most ${seconds} s: ${whose}`;
}

function waitReason(found: FoundLease, { mayWrite }: LeaseUser): Reason {
  if (found === 'absent' || !mayWrite) return { name: 'WaitsForGateway', record: 'lease.json' };
  if (found === 'unreadable') return { name: 'WaitsForStorage', holder: 'unknown', state: 'unreadable' };
  const state = found.released ? 'ended' : 'ending';
  return { name: 'WaitsForStorage', holder: describeHolder(found), state };
}
