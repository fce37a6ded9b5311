import { at, textAt } from '@largepayload/crds';

/** Where an object describes a pod. */
export interface PodPlace {
  /** of the pod, or of the template: the value there has `metadata` and `spec` */
  readonly path: readonly (string | number)[];
  readonly kind: string;
  readonly name: string;
  readonly namespace: string | undefined;
}

/** From an object to the template of its pods, by the kinds that have it there. */
const TEMPLATES: readonly (readonly string[])[] = [
  // Deployment, StatefulSet, DaemonSet, ReplicaSet, ReplicationController, Job, and those of others, such as Rollout
  ['spec', 'template'],
  // CronJob
  ['spec', 'jobTemplate', 'spec', 'template'],
  // PodTemplate
  ['template'],
];

/** The pods of an object of any kind, and of the items of a list. */
export function podPlaces(object: unknown, path: PodPlace['path'] = []): readonly PodPlace[] {
  const kind = textAt(object, 'kind');
  if (kind === undefined) return [];
  const items = at(object, 'items');
  if (kind.endsWith('List') && Array.isArray(items))
    return items.flatMap((item, position) => podPlaces(item, [...path, 'items', position]));
  const place = {
    kind,
    name: textAt(object, 'metadata', 'name') ?? textAt(object, 'metadata', 'generateName') ?? 'without name',
    namespace: textAt(object, 'metadata', 'namespace'),
  };
  if (kind === 'Pod') return hasContainers(object) ? [{ ...place, path }] : [];
  const templates = TEMPLATES.filter((template) => hasContainers(at(object, ...template)));
  return templates.map((template) => ({ ...place, path: [...path, ...template] }));
}

function hasContainers(pod: unknown): boolean {
  return Array.isArray(at(pod, 'spec', 'containers'));
}
