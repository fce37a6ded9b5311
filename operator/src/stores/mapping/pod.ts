import { at, countAt, listAt, textAt, timeAt } from '@largepayload/crds';
import type { KubernetesObject } from '../../kubernetes/api.ts';
import { COMPONENT_LABEL, CONFIG_HASH, STORE_LABEL, TEMPLATE_HASH } from '../labels.ts';
import { COMPONENTS, CONTAINER } from '../names.ts';
import type { Ended, ObservedPod } from '../observed.ts';
import { condition, explanation } from './deployment.ts';

export function mapPod({ metadata, spec, status }: KubernetesObject): ObservedPod {
  const component = textAt(metadata, 'labels', COMPONENT_LABEL);
  return {
    namespace: textAt(metadata, 'namespace') ?? '',
    name: textAt(metadata, 'name') ?? '',
    uid: textAt(metadata, 'uid') ?? '',
    // Any pod may have our labels; the store's pods are made by a ReplicaSet.
    store: isOfReplicaSet(metadata) ? textAt(metadata, 'labels', STORE_LABEL) : undefined,
    component: COMPONENTS.find((each) => each === component),
    node: textAt(spec, 'nodeName'),
    ip: textAt(status, 'podIP'),
    phase: textAt(status, 'phase') ?? 'Pending',
    deleting: textAt(metadata, 'deletionTimestamp') !== undefined,
    ready: condition(status, 'Ready')?.status === 'True',
    configHash: textAt(metadata, 'annotations', CONFIG_HASH),
    templateHash: textAt(metadata, 'annotations', TEMPLATE_HASH),
    createdAt: timeAt(metadata, 'creationTimestamp') ?? 0,
    scheduled: condition(status, 'PodScheduled'),
    image: textAt(ofService(listAt(spec, 'containers')), 'image'),
    ...mapContainer(ofService(listAt(status, 'containerStatuses'))),
  };
}

function isOfReplicaSet(metadata: unknown): boolean {
  return listAt(metadata, 'ownerReferences').some(
    ({ kind, controller }) => kind === 'ReplicaSet' && controller === true,
  );
}

function ofService(containers: readonly object[]): unknown {
  return containers.find((container) => textAt(container, 'name') === CONTAINER);
}

type Container = Pick<ObservedPod, 'restarts' | 'runningSince' | 'waiting' | 'ended'>;

function mapContainer(container: unknown): Container {
  const waiting = at(container, 'state', 'waiting');
  return {
    restarts: countAt(container, 'restartCount'),
    runningSince: timeAt(container, 'state', 'running', 'startedAt'),
    waiting: waiting === undefined ? undefined : explanation(waiting),
    ended: ended(at(container, 'state', 'terminated')) ?? ended(at(container, 'lastState', 'terminated')),
  };
}

function ended(terminated: unknown): Ended | undefined {
  if (terminated === undefined) return undefined;
  return { ...explanation(terminated), exitCode: countAt(terminated, 'exitCode') };
}
