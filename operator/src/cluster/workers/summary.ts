import { keyOfOwner, restartAdvice } from '../../injection/pod-owner.ts';
import type { NamedWorker, ObservedWorkers } from '../../stores/workers/observed-workers.ts';
import type { WorkerPod } from './worker-pod.ts';
import { namespaceOf } from './worker-pods.ts';

const MOST_NAMED = 3;

/**
 * What a store has to know of its workers. Of each owner one pod is named.
 * @param pods those that ask for the store, by key
 * @param isLeftAlone whether eviction did not help the owner with this key
 */
export function summaryOf(
  pods: Iterable<readonly [key: string, pod: WorkerPod]>,
  isLeftAlone: (owner: string) => boolean,
): ObservedWorkers {
  const counted = [...pods].filter(([, { problem }]) => problem === undefined);
  const inState = (state: WorkerPod['state']) => counted.filter(([, pod]) => pod.state === state);
  const [missed, outdated] = [inState('missed'), inState('outdated')];
  return {
    injected: inState('injected').length,
    missed: missed.length,
    outdated: outdated.length,
    missedPods: named(missed),
    outdatedPods: named(outdated),
    notHealed: named(
      missed.filter(
        ([key, { owner }]) => owner !== undefined && isLeftAlone(keyOfOwner(namespaceOf(key), owner)),
      ),
    ),
  };
}

/** In the order of names, so that a message stays the same while the pods do. */
function named(pods: readonly (readonly [key: string, pod: WorkerPod])[]): NamedWorker[] {
  const owners = new Set<string>();
  const named: NamedWorker[] = [];
  for (const [key, { owner, uid, why }] of pods.toSorted(([one], [other]) => (one < other ? -1 : 1))) {
    if (named.length === MOST_NAMED) break;
    const [namespace = '', name = ''] = key.split('/');
    const ownerKey = keyOfOwner(namespace, owner ?? { uid });
    if (owners.has(ownerKey)) continue;
    owners.add(ownerKey);
    named.push({ namespace, name, why, heal: restartAdvice(namespace, name, owner) });
  }
  return named;
}
