import { listAt } from '@largepayload/crds';
import type { KubernetesObject } from '../../kubernetes/api.ts';

const REPLACE = { $patch: 'replace' };

/**
 * A strategic merge patch that leaves an object no ports but the desired ones; `undefined` where it has none. Server-side
 * apply identifies ports by number: when the number of a port was edited, it adds a second port of the same name, which the API
 * server then refuses, again and again.
 * @see https://kubernetes.io/docs/tasks/manage-kubernetes-objects/update-api-object-kubectl-patch/ on `$patch: replace`
 */
export function onlyOurPorts({
  apiVersion,
  kind,
  metadata,
  spec,
}: KubernetesObject): KubernetesObject | undefined {
  const { namespace, name } = metadata;
  const patch = { apiVersion, kind, metadata: { namespace, name } } as KubernetesObject;
  const ports = listAt(spec, 'ports');
  if (ports.length > 0) return { ...patch, spec: { ports: [...ports, REPLACE] } };
  const containers = listAt(spec, 'template', 'spec', 'containers').map((container) => ({
    name: container.name,
    ports: [...listAt(container, 'ports'), REPLACE],
  }));
  return containers.length > 0 ? { ...patch, spec: { template: { spec: { containers } } } } : undefined;
}
