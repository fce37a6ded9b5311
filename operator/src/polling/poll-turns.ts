import type { PollHistory } from './poll-pace.ts';
import type { RunningPod } from './poll-pod.ts';

export interface PolledPod {
  /** as seen last */
  pod: RunningPod;
  history: PollHistory | undefined;
  /** end of the latest poll, monotonic */
  endedAtMs: number;
}

/** Whether the pod was not polled yet as it is now: when its readiness has changed, so has its report. */
export function isBehind({ history, pod }: PolledPod): boolean {
  return history?.whileReady !== pod.ready;
}

/**
 * When the next poll of each pod of a store is due, on the monotonic clock; pods that are missing need none for now. A pod that is
 * not well, or is not as it was, is polled itself. Of those that are well one gateway and the reaper suffice, as they share the
 * storage; another one comes in turn, so that a fault of one pod (the clock of its node) is seen, too.
 */
export function dueTimes<Pod extends PolledPod>(pods: readonly Pod[]): ReadonlyMap<Pod, number> {
  const due = new Map<Pod, number>();
  const well = new Map<string, Pod[]>();
  for (const each of pods) {
    const { history, pod, endedAtMs } = each;
    if (history === undefined || isBehind(each)) due.set(each, 0);
    else if (!history.isWell) due.set(each, endedAtMs + history.pauseMs);
    else well.set(pod.component ?? '', [...(well.get(pod.component ?? '') ?? []), each]);
  }
  for (const group of well.values()) {
    const [next] = group.sort((one, other) => one.endedAtMs - other.endedAtMs);
    const latest = group.at(-1);
    if (next !== undefined && latest !== undefined)
      due.set(next, latest.endedAtMs + (latest.history?.pauseMs ?? 0));
  }
  return due;
}

/** How many pods take turns with this one. */
export function turnsWith({ pod }: PolledPod, pods: readonly PolledPod[]): number {
  return pods.filter((each) => each.history?.isWell && each.pod.component === pod.component).length;
}
