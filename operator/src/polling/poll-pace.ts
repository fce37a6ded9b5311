import type { ObservedPod, PodReport } from '../stores/observed.ts';

/** ms until a pod that is well is asked again: the reaper's news is wanted, and storage that fails later */
const CALM_INTERVAL = 120_000;
/** ms until one that is not is asked again, longer each time */
const FIRST_INTERVAL = 1_000;
const LONGEST_INTERVAL = 15_000;
/** silences in a row that count: a node that is busy, or a network that is being set up, may swallow a question or two */
const SILENCES = 3;

/** What is known of a container by asking it. */
export interface Heard {
  /** `undefined`: it was asked too seldom to tell */
  readonly answer: PodReport | undefined;
  /** whether the kubelet called the pod ready when it was asked */
  readonly whileReady: boolean;
  /** whether the latest answer was that of a pod which is well */
  readonly isWell: boolean;
  /** in a row */
  readonly silences: number;
  /** ms after which to ask again though nothing seems to change */
  readonly pause: number;
}

/** What one more answer makes of what was known. */
export function heard(before: Heard | undefined, answer: PodReport, whileReady: boolean): Heard {
  const isSilence = !('report' in answer);
  const silences = isSilence ? (before?.silences ?? 0) + 1 : 0;
  const isWell = saysWell(answer);
  const isTold = !isSilence || silences >= SILENCES;
  return {
    answer: isTold ? answer : before?.answer,
    ...{ whileReady, isWell, silences },
    pause: isWell ? CALM_INTERVAL : nextPause(before, whileReady, isSilence),
  };
}

function nextPause(before: Heard | undefined, whileReady: boolean, isSilence: boolean): number {
  if (before === undefined || before.isWell || before.whileReady !== whileReady) return FIRST_INTERVAL;
  // Who is silent takes the place of others that could be asked.
  return Math.min(2 * before.pause, isSilence ? CALM_INTERVAL : LONGEST_INTERVAL);
}

/** Nothing is expected to change soon. */
function saysWell(answer: PodReport): boolean {
  if (!('report' in answer)) return false;
  const { ready, reaper } = answer.report;
  return (
    ready && (reaper === undefined || (reaper.lastCompleted !== undefined && reaper.lastError === undefined))
  );
}

/** Another one means another process, of which nothing is known. */
export function processOf({ uid, ip, runningSince, restarts }: ObservedPod): string {
  return [uid, ip, runningSince, restarts].join(' ');
}
