import { parseDuration, storageKindOf } from '@largepayload/crds';
import type { ObservedPod } from '../observed.ts';
import { type ComponentView, reportOf, type Situation, viewOf } from './component-view.ts';

/** Beside two intervals: a pass may take a while, and polls have pauses. */
const LENIENCE_MS = 300_000;

/** The clocks of a cluster may differ that much. An end that is further in the future is no end. */
const CLOCK_DIFFERENCE_MS = 60_000;

/** The component whose pods reap. */
export function reapingView(situation: Situation): ComponentView {
  const { spec } = situation.observed.store;
  return viewOf(situation, spec === undefined ? 'reaper' : storageKindOf(spec).deletedBy);
}

/** Pods whose container runs, those of the newest template first. */
export function reapingPods({ pods, oldPods }: ComponentView): readonly ObservedPod[] {
  return [...pods, ...oldPods].filter(({ runningSince }) => runningSince !== undefined);
}

/** When the last pass ended (ms since the epoch), by the reports and by the store's status: a pod that was restarted knows of no pass. */
export function lastCompleted(situation: Situation): number | undefined {
  const { status } = situation.observed.store;
  const remembered = Date.parse(status.retention?.lastCompletedTime ?? '');
  const view = reapingView(situation);
  const reported = reapingPods(view).map((pod) => reportOf(view, pod)?.reaper?.lastCompleted);
  const possible = (time: number | undefined): time is number =>
    time !== undefined && time <= situation.now + CLOCK_DIFFERENCE_MS;
  const times = [remembered, ...reported].filter(possible);
  return times.length === 0 ? undefined : Math.max(...times);
}

/** Whether a pass should have ended by now, counted from the last one or from when the pods were made. */
export function isLate(situation: Situation): boolean {
  const { spec } = situation.observed.store;
  const { pods, oldPods } = reapingView(situation);
  const created = [...pods, ...oldPods].map(({ createdAt }) => createdAt);
  if (spec === undefined || created.length === 0) return false;
  const since = Math.max(lastCompleted(situation) ?? 0, Math.min(...created));
  return situation.now - since > 2 * parseDuration(spec.retention.reaperInterval) + LENIENCE_MS;
}
