import { conditionOf } from '../read-store.ts';
import { clockUnconfirmed } from './clock-unconfirmed.ts';
import { reportOf, type Situation } from './component-view.ts';
import { firstOf, no, PASSING, unknown, type Verdict, yes } from './finding.ts';
import { notNeeded } from './reaper-healthy.ts';
import { reapingPods, reapingView } from './reaper-reports.ts';
import { reportedFinding } from './reported-error.ts';
import { keepsForever, prefixNotAllowed, storeProblem } from './store-problems.ts';

/** For these reasons a reaper stops, as it could delete payloads that must stay. */
const UNSAFE: ReadonlySet<string> = new Set([
  'ClockDifference',
  'StorageOwnedByAnotherStore',
  'StorageInUse',
  'IdentityMissing',
  'StorageReplaced',
  'ClockUnconfirmed',
]);

/**
 * Whether clock and identity of the storage are right, so that only expired payloads are deleted. While no pod reports it, the
 * condition stays as it was.
 */
export function retentionSafe(situation: Situation): Verdict {
  if (keepsForever(situation.observed.store)) return takenOver(situation) ?? notNeeded();
  const reserved = prefixNotAllowed(situation.observed.store);
  if (reserved !== undefined) return no(reserved);
  const problem = storeProblem(situation);
  const view = reapingView(situation);
  // The operator deletes a reaper, and leaves a gateway that reaps.
  if (problem?.reason === 'RetentionNotSupported') {
    return view.component === 'gateway' ? no(problem) : unknown(problem);
  }
  const pods = reapingPods(view);
  const unsafe = firstOf(pods, (pod) => {
    const finding = reportedFinding(view, pod);
    return finding !== undefined && UNSAFE.has(finding.reason) ? finding : undefined;
  });
  const problemNow = unsafe ?? clockUnconfirmed(view);
  if (problemNow !== undefined) return no(problemNow);
  if (pods.some((pod) => reportOf(view, pod)?.ready)) return takenOver(situation) ?? SAFE;
  return lastKnown(situation) ?? NOTHING_KNOWN;
}

/** How long the condition has this reason; the Event stays about as long. */
const TAKEN_OVER_FOR_MS = 3_600_000;

/** The storage had the lease of another resource, which was over. When that resource comes back, it is refused. */
function takenOver({ observed, now }: Situation): Verdict | undefined {
  for (const poll of observed.reports.values()) {
    const taken = 'report' in poll ? poll.report.takenOver : undefined;
    if (taken === undefined || now - taken.time > TAKEN_OVER_FOR_MS) continue;
    return yes(
      'StorageTakenOver',
      `the storage was used by ${taken.from} before, which had ended or was silent for two minutes; if that one is to go on, give one of the two another place`,
    );
  }
  return undefined;
}

const SAFE = yes(
  'StorageAgrees',
  "the reaper's clock agrees with the storage's, and the storage is this store's",
);
const NOTHING_KNOWN = unknown({
  reason: 'NoReport',
  message: 'no pod that removes expired payloads has reached the storage yet',
});

function lastKnown({ observed }: Situation): Verdict | undefined {
  const known = conditionOf(observed.store.status, 'RetentionSafe');
  if (known === undefined || known.reason === 'NotNeeded' || PASSING.has(known.reason)) return undefined;
  if (UNSAFE.has(known.reason))
    return no({ reason: known.reason as 'ClockDifference', message: known.message });
  return SAFE;
}
