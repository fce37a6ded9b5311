import { parseDuration } from '@largepayload/crds';
import type { ObservedPod, ServiceReport } from '../observed.ts';
import { isAlive } from '../rollout.ts';
import { type ComponentView, reportOf, type Situation, unreachable, viewOf } from './component-view.ts';

/** ms beside two intervals: a pass may take a while, and reports come now and then */
const LENIENCE = 300_000;

/** ms that clocks in a cluster may differ; what is said to have ended later than that has not */
const CLOCK_DIFFERENCE = 60_000;

/** The component whose pods reap. */
export function reapingView(situation: Situation): ComponentView {
  const onVolume = situation.observed.store.spec?.storage.filesystem !== undefined;
  return viewOf(situation, onVolume ? 'gateway' : 'reaper');
}

/** A pod that reaps, and what it answered. */
export interface ReapingPod {
  readonly pod: ObservedPod;
  readonly report: ServiceReport | undefined;
  readonly unreachable: string | undefined;
}

/** Newest first, running ones only. */
export function reapingPods(view: ComponentView): readonly ReapingPod[] {
  return [...view.pods, ...view.oldPods]
    .filter((pod) => isAlive(pod) && pod.runningSince !== undefined)
    .map((pod) => ({ pod, report: reportOf(view, pod), unreachable: unreachable(view, pod) }));
}

/** When the last pass ended (ms since the epoch), as a pod says or the status remembers: a restarted pod knows of none. */
export function lastCompleted(situation: Situation): number | undefined {
  const { status } = situation.observed.store;
  const remembered = Date.parse(status.retention?.lastCompletedTime ?? '');
  const told = reapingPods(reapingView(situation)).map(({ report }) => report?.reaper?.lastCompleted);
  const possible = (time: number | undefined): time is number =>
    time !== undefined && time <= situation.now + CLOCK_DIFFERENCE;
  const times = [remembered, ...told].filter(possible);
  return times.length === 0 ? undefined : Math.max(...times);
}

/** Whether a pass should have ended by now, counted from the last one or from when the pods were made. */
export function isLate(situation: Situation): boolean {
  const { spec } = situation.observed.store;
  const { pods, oldPods } = reapingView(situation);
  const created = [...pods, ...oldPods].map(({ createdAt }) => createdAt);
  if (spec === undefined || created.length === 0) return false;
  const since = Math.max(lastCompleted(situation) ?? 0, Math.min(...created));
  return situation.now - since > 2 * parseDuration(spec.retention.reaperInterval) + LENIENCE;
}
