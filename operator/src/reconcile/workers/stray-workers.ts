import type { WorkerPod } from '../../cluster/workers/worker-pod.ts';
import type { EventRecorder } from '../../kubernetes/event-recorder.ts';
import { kindOf, PODS } from '../../kubernetes/resources.ts';

/** Events of one call: anybody who may make pods may make many of these. */
const MOST_AT_A_TIME = 10;

/**
 * Pods that ask for a store that does not exist, or that does not allow them. No store can report them, so each gets an Event of its
 * own, once.
 */
export class StrayWorkers {
  readonly #events: Pick<EventRecorder, 'record'>;
  /** UIDs of pods */
  #recorded = new Set<string>();

  constructor(events: Pick<EventRecorder, 'record'>) {
    this.#events = events;
  }

  /** @param pods all pods in scope, by key @returns whether some are left for another call */
  record(pods: Iterable<readonly [key: string, pod: WorkerPod]>): boolean {
    const recorded = new Set<string>();
    let left = MOST_AT_A_TIME;
    let isMore = false;
    for (const [key, { uid, problem }] of pods) {
      if (problem === undefined) continue;
      if (!this.#recorded.has(uid)) {
        if (left === 0) {
          isMore = true;
          continue;
        }
        left -= 1;
        this.#record(key, uid, problem);
      }
      recorded.add(uid);
    }
    // Those that have gone are forgotten.
    this.#recorded = recorded;
    return isMore;
  }

  #record(key: string, uid: string, problem: string): void {
    const [namespace = '', name = ''] = key.split('/');
    const pod = { ...kindOf(PODS), metadata: { namespace, name, uid } };
    this.#events.record(pod, { type: 'Warning', reason: 'NotInjected', action: 'Inject', note: problem });
  }
}
