import { textAt } from '@largepayload/crds';
import { DEPLOYMENTS } from '../kubernetes/resources.ts';
import type { DesiredObject } from './desired-objects.ts';
import { TEMPLATE_HASH } from './labels.ts';
import { COMPONENTS, type Component, componentName } from './names.ts';
import type { ObservedDeployment, ObservedPod, ObservedStore } from './observed.ts';

/** The Deployment that a component should have; `undefined`: none. */
export function desiredDeployment(
  store: { readonly name: string },
  desired: readonly DesiredObject[],
  component: Component,
): DesiredObject | undefined {
  const name = componentName(store.name, component);
  return desired.find((object) => object.resource === DEPLOYMENTS && object.name === name);
}

/** The hash of the pods that a desired Deployment makes. */
export function templateHashOf({ object }: DesiredObject): string | undefined {
  return textAt(object, 'spec', 'template', 'metadata', 'annotations', TEMPLATE_HASH);
}

/** Whether a Deployment is as desired and all its pods are its newest and available, so that it keeps no others. */
function isComplete(deployment: ObservedDeployment | undefined, desired: DesiredObject): boolean {
  if (deployment === undefined) return false;
  const { objectHash, observedGeneration, generation, wanted, updated, replicas, available } = deployment;
  return (
    objectHash === desired.hash &&
    observedGeneration >= generation &&
    [updated, replicas, available].every((number) => number === wanted)
  );
}

/** Pods that are there to stay: neither ending nor ended (an evicted pod lingers as `Failed`). */
export function isAlive({ deleting, phase }: ObservedPod): boolean {
  return !deleting && phase !== 'Failed' && phase !== 'Succeeded';
}

/** Whether nothing runs any more that was made from earlier configurations, not even pods that are ending. */
export function isSettled(observed: ObservedStore, desired: readonly DesiredObject[]): boolean {
  return COMPONENTS.every((component) => {
    const wanted = desiredDeployment(observed.store, desired, component);
    const pods = observed.pods.filter((pod) => pod.component === component && !hasEnded(pod));
    if (wanted === undefined) return observed[component] === undefined && pods.length === 0;
    const deployment = observed[component];
    return (
      isComplete(deployment, wanted) &&
      pods.every(({ templateHash }) => templateHash === deployment?.templateHash)
    );
  });
}

function hasEnded({ phase }: ObservedPod): boolean {
  return phase === 'Failed' || phase === 'Succeeded';
}
