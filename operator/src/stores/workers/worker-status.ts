import type { LargePayloadStoreStatus } from '@largepayload/crds';
import { asCondition } from '../as-condition.ts';
import { injectionCurrent } from './injection-current.ts';
import type { WorkerSituation } from './observed-workers.ts';

/** The part of the status that is about worker pods. It has a writer of its own, so that it does not wait for the store's pods. */
export function decideWorkerStatus(situation: WorkerSituation): LargePayloadStoreStatus {
  const { store, now } = situation;
  const condition = asCondition({ store, now }, 'InjectionCurrent', injectionCurrent(situation));
  return { ...podCounts(situation), conditions: [condition] };
}

function podCounts({ workers }: WorkerSituation): Pick<LargePayloadStoreStatus, 'pods'> {
  if (workers === 'off') return {};
  const { injected, missed, outdated } = workers;
  return { pods: { injected, missed, outdated } };
}
