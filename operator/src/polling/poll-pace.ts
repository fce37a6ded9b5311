import type { ObservedPod, PodReport } from '../stores/observed.ts';
import type { PollResult } from './poll-pod.ts';

/** Until a pod that is well is polled again: it may have completed a pass, and its storage may fail later. */
const CALM_PAUSE_MS = 120_000;
/** Until a pod that is not well is polled again, longer each time. */
const FIRST_PAUSE_MS = 1_000;
const LONGEST_PAUSE_MS = 15_000;
/** A poll that took so long was held by the pod, so that another may follow at once. */
const HELD_MS = 30_000;
/** failed polls in a row that count: a busy node, or a network that is being set up, may lose one or two */
const SILENCES = 3;

/** What polls of a container have shown. */
export interface PollHistory {
  /** `undefined`: too few polls to know */
  readonly report: PodReport | undefined;
  /** of the latest report */
  readonly revision: string | undefined;
  /** whether the kubelet called the pod ready when the latest poll began */
  readonly whileReady: boolean;
  /** whether the latest poll found a pod that is well */
  readonly isWell: boolean;
  /** polls without an answer in a row */
  readonly silences: number;
  /** until the next poll, though nothing seems to change */
  readonly pauseMs: number;
  /** the pause after the latest poll that found the pod well; it grows until the pod holds a poll, whatever comes between */
  readonly calmPauseMs: number;
}

/** The history after one more poll. */
export function afterPoll(
  before: PollHistory | undefined,
  { report, revision }: PollResult,
  { whileReady, tookMs }: { readonly whileReady: boolean; readonly tookMs: number },
): PollHistory {
  const isSilence = !('report' in report);
  const silences = isSilence ? (before?.silences ?? 0) + 1 : 0;
  const isWell = isWellReport(report);
  const counts = !isSilence || silences >= SILENCES;
  const calmPauseMs = nextCalmPauseMs(before?.calmPauseMs ?? 0, { isWell, tookMs });
  const pauseIfWellMs = revision === undefined ? CALM_PAUSE_MS : calmPauseMs;
  return {
    report: counts ? report : before?.report,
    ...{ revision, whileReady, isWell, silences, calmPauseMs },
    pauseMs: isWell ? pauseIfWellMs : troubledPauseMs(before, whileReady, isSilence),
  };
}

/** The history after a poll that was held to its end, without news. */
export function afterHold(before: PollHistory): PollHistory {
  return { ...before, pauseMs: 0, calmPauseMs: 0 };
}

/** A pod that holds polls is polled at once; one that answers at once, be it too busy to hold, never again and again. */
function nextCalmPauseMs(
  beforeMs: number,
  poll: { readonly isWell: boolean; readonly tookMs: number },
): number {
  if (poll.tookMs >= HELD_MS) return 0;
  return poll.isWell ? Math.min(Math.max(FIRST_PAUSE_MS, 2 * beforeMs), CALM_PAUSE_MS) : beforeMs;
}

function troubledPauseMs(before: PollHistory | undefined, whileReady: boolean, isSilence: boolean): number {
  if (before === undefined || before.isWell || before.whileReady !== whileReady) return FIRST_PAUSE_MS;
  // A poll of a silent pod takes a place for 5 s that another pod could have.
  return Math.min(2 * before.pauseMs, isSilence ? CALM_PAUSE_MS : LONGEST_PAUSE_MS);
}

/** Nothing is expected to change soon. */
function isWellReport(report: PodReport): boolean {
  if (!('report' in report)) return false;
  const { ready, reaper } = report.report;
  return (
    ready && (reaper === undefined || (reaper.lastCompleted !== undefined && reaper.lastError === undefined))
  );
}

/** Another one means another process, of which nothing is known. */
export function processOf({ uid, ip, runningSince, restarts }: ObservedPod): string {
  return [uid, ip, runningSince, restarts].join(' ');
}
