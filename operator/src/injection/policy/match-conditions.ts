import { MANAGED_BY } from '../../stores/labels.ts';
import { SIDECAR_CONTAINER, SIDECAR_VOLUME } from '../names.ts';
import type { SkipReason } from '../skip-reasons.ts';
import { celLiteral } from './cel-literal.ts';

export interface NamedExpression {
  readonly name: string;
  readonly expression: string;
}

const CONTAINER = celLiteral(SIDECAR_CONTAINER);
const VOLUME = celLiteral(SIDECAR_VOLUME);

/** Whether the pod has the container of our name among its init containers. */
export const HAS_SIDECAR = `object.spec.?initContainers.orValue([]).exists(c, c.name == ${CONTAINER})`;

/** For each reason to leave a pod as it is, what holds for the other pods: the predicates of `skipOf` as CEL. */
const CONDITIONS: Readonly<Record<SkipReason, string>> = {
  OwnPod: `object.metadata.?labels[?"app.kubernetes.io/managed-by"].orValue("") != ${celLiteral(MANAGED_BY)}`,
  StaticPod: '!object.metadata.?annotations[?"kubernetes.io/config.mirror"].hasValue()',
  HostNetwork: '!object.spec.?hostNetwork.orValue(false)',
  Windows:
    'object.spec.?os.?name.orValue("") != "windows" && object.spec.?nodeSelector[?"kubernetes.io/os"].orValue("") != "windows"',
  NameTaken: `!object.spec.containers.exists(c, c.name == ${CONTAINER}) && (${HAS_SIDECAR} || !object.spec.?volumes.orValue([]).exists(v, v.name == ${VOLUME}))`,
};

/** A pod for which one of them is false is not injected. They know the pod, and not its namespace. */
export const MATCH_CONDITIONS: readonly NamedExpression[] = Object.entries(CONDITIONS).map(
  ([reason, expression]) => ({ name: `not-${reason}`, expression }),
);
