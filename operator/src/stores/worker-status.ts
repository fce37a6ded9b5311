import type { LargePayloadStoreStatus } from '@largepayload/crds';
import { asCondition } from './conditions/as-condition.ts';
import { injectionCurrent } from './conditions/injection-current.ts';
import type { WorkerSituation } from './observed-workers.ts';

/** The part of the status that is about worker pods. It has a writer of its own, so that it does not wait for the store's pods. */
export function decideWorkerStatus(situation: WorkerSituation): LargePayloadStoreStatus {
  const { store, now } = situation;
  const condition = asCondition({ store, now }, 'InjectionCurrent', injectionCurrent(situation));
  return { ...podCounts(situation), conditions: [condition] };
}

function podCounts({ workers, store }: WorkerSituation): Pick<LargePayloadStoreStatus, 'pods'> {
  if (workers === 'off') return {};
  // Counts that are not known yet stay as they were written.
  if (workers === 'unread') return store.status.pods === undefined ? {} : { pods: store.status.pods };
  const { injected, missed, outdated } = workers;
  return { pods: { injected, missed, outdated } };
}
