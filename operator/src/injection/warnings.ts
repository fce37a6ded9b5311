import { at, textAt } from '@largepayload/crds';
import { DATA_PORT, METRICS_PORT } from '../stores/names.ts';
import { SIDECAR_CONTAINER } from './names.ts';
import { CONTAINER_LISTS, itemsOf, type RawPod } from './raw-pod.ts';

/** What may go wrong in a pod with a sidecar, for people: one line each. What `envFrom` sets cannot be known. */
export function warningsOf(pod: RawPod): readonly string[] {
  return [...usedPorts(pod), ...limitOfPod(pod)];
}

/** The containers of a pod share its addresses. */
function usedPorts(pod: RawPod): readonly string[] {
  return CONTAINER_LISTS.flatMap((list) => itemsOf(pod, list)).flatMap((container) => {
    const name = textAt(container, 'name');
    const ports = at(container, 'ports');
    if (name === SIDECAR_CONTAINER || !Array.isArray(ports)) return [];
    return [DATA_PORT, METRICS_PORT]
      .filter((port) => ports.some((each) => at(each, 'containerPort') === port && isTcp(each)))
      .map(
        (port) =>
          `container ${name} has port ${port}, which the sidecar needs: if both listen there, one of them cannot start; choose another port`,
      );
  });
}

function isTcp(port: unknown): boolean {
  return (textAt(port, 'protocol') ?? 'TCP') === 'TCP';
}

/** The API server refuses a pod whose own resources are smaller than those of its containers together. */
function limitOfPod({ spec }: RawPod): readonly string[] {
  if (at(spec, 'resources') === undefined) return [];
  return [
    'the pod has spec.resources: they must have room for the sidecar too, or the API server refuses the pod',
  ];
}
