import { textAt } from '@largepayload/crds';
import { isFields } from '@largepayload/crds/json-fields';
import { SIDECAR_CONTAINER } from './names.ts';
import { CONTAINER_LISTS, itemsOf, type PatchOperation, pointer, type RawPod } from './raw-pod.ts';
import type { Sidecar } from './sidecar.ts';

type Variables = Sidecar['environment'];

/**
 * Adds to each container, but the sidecar, the variables that it does not set. A value of the pod is never changed. Variables of
 * `envFrom` cannot be known here: those that are added win over them.
 */
export function environmentPatch(pod: RawPod, variables: Variables): readonly PatchOperation[] {
  return CONTAINER_LISTS.flatMap((list) =>
    itemsOf(pod, list).flatMap((container, position) =>
      !isFields(container) || container.name === SIDECAR_CONTAINER
        ? []
        : variablesPatch(container.env, variables, pointer('spec', list, position, 'env')),
    ),
  );
}

function variablesPatch(present: unknown, variables: Variables, path: string): readonly PatchOperation[] {
  if (!Array.isArray(present)) return [{ op: 'add', path, value: variables }];
  const missing = variables.filter(
    ({ name }) => !present.some((variable) => textAt(variable, 'name') === name),
  );
  return missing.map((value) => ({ op: 'add', path: `${path}/-`, value }));
}
