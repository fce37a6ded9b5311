import { clockUnconfirmed } from './clock-unconfirmed.ts';
import type { Situation } from './component-view.ts';
import { PASSING } from './finding.ts';
import { notNeeded } from './reaper-healthy.ts';
import { reapingPods, reapingView } from './reaper-reports.ts';
import { reportedFinding } from './reported-error.ts';
import { keepsForever, reservedPrefix, storeProblem } from './store-problems.ts';
import { no, unknown, type Verdict, yes } from './verdict.ts';

/** What makes a reaper stop, lest it remove what must stay. */
const UNSAFE: ReadonlySet<string> = new Set([
  'ClockDifference',
  'StorageOwnedByAnotherStore',
  'StorageInUse',
  'IdentityMissing',
  'StorageReplaced',
  'ClockUnconfirmed',
]);

/**
 * Whether the clock and the storage's identity let expired payloads be told from others. Where no pod can say so now, what
 * was last known stays.
 */
export function retentionSafe(situation: Situation): Verdict {
  if (keepsForever(situation.observed.store)) return takenOver(situation) ?? notNeeded();
  const reserved = reservedPrefix(situation.observed.store);
  if (reserved !== undefined) return no(reserved);
  const problem = storeProblem(situation);
  // On a bucket the reaper is taken away; the pod of a volume goes on.
  if (problem?.reason === 'RetentionNotSupported') {
    return situation.observed.store.spec?.storage.filesystem ? no(problem) : unknown(problem);
  }
  const view = reapingView(situation);
  const { store } = situation.observed;
  const answers = reapingPods(view).flatMap(({ pod, report }) =>
    report === undefined ? [] : [{ pod, report }],
  );
  for (const { pod, report } of answers) {
    if (report.error === undefined) continue;
    const { code, message: words } = report.error;
    const finding = reportedFinding({ store, pod, component: view.component, code, words });
    if (finding !== undefined && UNSAFE.has(finding.reason)) return no(finding);
  }
  const waiting = clockUnconfirmed(view);
  if (waiting !== undefined) return no(waiting);
  if (answers.some(({ report }) => report.ready)) return takenOver(situation) ?? SAFE;
  return lastKnown(situation) ?? NOTHING_KNOWN;
}

/** ms for which it is told; the Event stays about as long */
const TOLD_FOR = 3_600_000;

/** A lease of another resource was over: that one may come back, and is then refused. */
function takenOver({ observed, now }: Situation): Verdict | undefined {
  for (const answer of observed.reports.values()) {
    const taken = 'report' in answer ? answer.report.takenOver : undefined;
    if (taken === undefined || now - taken.time > TOLD_FOR) continue;
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
  const known = observed.store.status.conditions?.find(({ type }) => type === 'RetentionSafe');
  if (known === undefined || known.reason === 'NotNeeded' || PASSING.has(known.reason)) return undefined;
  if (UNSAFE.has(known.reason))
    return no({ reason: known.reason as 'ClockDifference', message: known.message });
  return SAFE;
}
