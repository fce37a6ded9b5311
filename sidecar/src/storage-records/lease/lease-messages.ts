import { StorageInUseError } from '../../errors/storage-in-use-error.ts';
import { describeHolder, type FoundLease, type Lease } from './lease.ts';
import type { LeaseDecision, LeaseUser } from './lease-decision.ts';

/** ms; a release is to be noticed soon */
const LONGEST_PAUSE = 5_000;

/** Why the storage cannot be used now, and what to do. */
export function inUse(
  found: FoundLease,
  decision: Extract<LeaseDecision, { kind: 'wait' | 'refuse' }>,
  user: LeaseUser,
): StorageInUseError {
  if (decision.kind === 'refuse') return new StorageInUseError(refusal(found as Lease, user));
  const { milliseconds } = decision;
  return new StorageInUseError(
    waiting(found, Math.ceil(milliseconds / 1_000), user),
    Math.min(milliseconds, LONGEST_PAUSE),
  );
}

function refusal(found: Lease, user: LeaseUser): string {
  const wayOut = found.shared
    ? 'to share it on purpose, say storage.shared: true here too'
    : user.shared
      ? 'to share it on purpose, say storage.shared: true there too'
      : 'to share it on purpose, say storage.shared: true in both';
  const since = new Date(found.since).toISOString();
  return `the storage is in use by ${describeHolder(found)} since ${since}; nothing is stored or deleted here. If that one has gone, its lease ends two minutes after the last renewal, and who waits, or starts then, takes the storage over. If it has not: give each store a bucket, prefix or folder of its own, or, ${wayOut}`;
}

function waiting(found: FoundLease, seconds: number, { mayWrite }: LeaseUser): string {
  if (found === 'absent') {
    return `the storage has no lease.json yet, which a gateway of the store writes; where none does, this process goes on in ${seconds} s`;
  }
  const whose =
    found === 'unreadable' ? 'lease.json cannot be read, and counts as over' : describeEnded(found);
  if (!mayWrite) return `waits until a gateway of the store takes the storage over: ${whose}`;
  return `waits for the storage for at most ${seconds} s: ${whose}`;
}

function describeEnded(found: Lease): string {
  const whose = `it was used by ${describeHolder(found)}`;
  return found.released ? `${whose}, which has ended` : `${whose}, which may be ending`;
}
