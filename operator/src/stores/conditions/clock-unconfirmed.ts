import { componentName } from '../names.ts';
import { type ComponentView, reportOf } from './component-view.ts';
import { type Finding, firstOf } from './finding.ts';
import { reapingPods } from './reaper-reports.ts';

/** A pod's estimate moves a little with each pass, and each difference would be one more write of the status. */
const ROUNDING_MS = 600_000;

/** A pod that reaps deletes nothing, although its clock and the storage's agree. */
export function clockUnconfirmed(view: ComponentView): Finding | undefined {
  const { store } = view.situation.observed;
  const gateway = `deployment/${componentName(store.name, 'gateway')}`;
  const command = `kubectl -n ${store.namespace} exec ${gateway} -- payload-store accept-clock`;
  return firstOf(reapingPods(view), (pod) => {
    const waiting = reportOf(view, pod)?.reaper?.waiting;
    return (
      waiting && {
        reason: 'ClockUnconfirmed',
        message: `pod ${pod.name} removes nothing yet: its clock is far ahead of the latest time that the storage knows for sure (clock.json), or the storage knows none: the store rested, was written by version 0.1, or the clock of node ${pod.node ?? 'unknown'} is wrong. If the clock is right: ${command}${byItself(waiting.until)}`,
      }
    );
  });
}

function byItself(until: number | undefined): string {
  if (until === undefined) return '';
  const rounded = new Date(Math.ceil(until / ROUNDING_MS) * ROUNDING_MS).toISOString();
  return `; by itself it goes on at about ${rounded.slice(0, 16)}Z, if the clocks agree until then`;
}
