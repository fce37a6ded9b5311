import { at, countAt, listAt, textAt } from '@largepayload/crds';
import type { KubernetesObject } from '../../kubernetes/api.ts';
import { DEPLOYMENTS } from '../../kubernetes/resources.ts';
import { CONFIG_HASH, TEMPLATE_HASH } from '../labels.ts';
import type { ObservedCondition, ObservedDeployment } from '../observed.ts';
import { mapObject } from './object.ts';

export function mapDeployment(object: KubernetesObject): ObservedDeployment {
  const { spec, status } = object;
  const annotation = (name: string) => textAt(spec, 'template', 'metadata', 'annotations', name);
  return {
    ...mapObject(DEPLOYMENTS, object),
    generation: countAt(object.metadata, 'generation'),
    observedGeneration: countAt(status, 'observedGeneration'),
    wanted: at(spec, 'replicas') === undefined ? 1 : countAt(spec, 'replicas'),
    replicas: countAt(status, 'replicas'),
    updated: countAt(status, 'updatedReplicas'),
    ready: countAt(status, 'readyReplicas'),
    available: countAt(status, 'availableReplicas'),
    configHash: annotation(CONFIG_HASH),
    templateHash: annotation(TEMPLATE_HASH),
    progressing: condition(status, 'Progressing'),
    replicaFailure: condition(status, 'ReplicaFailure'),
  };
}

/** The condition of a type in a `status`. */
export function condition(status: unknown, type: string): ObservedCondition | undefined {
  const found = listAt(status, 'conditions').find((each) => each.type === type);
  return found && { status: textAt(found, 'status') ?? 'Unknown', ...explanation(found) };
}

export function explanation(state: unknown): { reason: string; message: string } {
  return { reason: textAt(state, 'reason') ?? '', message: textAt(state, 'message') ?? '' };
}
