import { at, textAt } from '@largepayload/crds';
import { SERVICE_URL_VARIABLE, SIDECAR_CONTAINER, SIDECAR_VOLUME } from './names.ts';
import { hasItem, type RawPod, sidecarOf } from './raw-pod.ts';
import { isOwnPod } from './selection.ts';

/** Why a pod gets no sidecar, whatever store it asks for. */
export interface Skip {
  readonly reason: 'OwnPod' | 'StaticPod' | 'HostNetwork' | 'Windows' | 'NameTaken';
  /** for people: one line, which an admission warning has room for */
  readonly message: string;
}

export type SkipReason = Skip['reason'];

type Predicate = (pod: RawPod) => Skip | undefined;

const INSTEAD = `its workers can use the gateway by ${SERVICE_URL_VARIABLE} (docs/injection.md)`;

const ownPod: Predicate = ({ metadata }) =>
  isOwnPod(metadata) ? { reason: 'OwnPod', message: 'no sidecar: the pod belongs to a store' } : undefined;

/** The kubelet made the pod from a file, and the API server shows it only: a change here has no effect. */
const staticPod: Predicate = ({ metadata }) =>
  at(metadata, 'annotations', 'kubernetes.io/config.mirror') === undefined
    ? undefined
    : { reason: 'StaticPod', message: `no sidecar: the kubelet runs this pod from a file; ${INSTEAD}` };

/** Its 127.0.0.1 is that of the node: two of them would fight for the ports, and every process of the node could use the token. */
const hostNetwork: Predicate = ({ spec }) =>
  at(spec, 'hostNetwork') === true
    ? {
        reason: 'HostNetwork',
        message: `no sidecar: the pod has hostNetwork: true, and shares 127.0.0.1 with its node; ${INSTEAD}`,
      }
    : undefined;

const windows: Predicate = ({ spec }) =>
  textAt(spec, 'os', 'name') === 'windows' || textAt(spec, 'nodeSelector', 'kubernetes.io/os') === 'windows'
    ? { reason: 'Windows', message: `no sidecar: the pod is for Windows, the sidecar for Linux; ${INSTEAD}` }
    : undefined;

const containerNameTaken: Predicate = (pod) =>
  hasItem(pod, 'containers', SIDECAR_CONTAINER)
    ? {
        reason: 'NameTaken',
        message: `no sidecar: the pod has a container named ${SIDECAR_CONTAINER} of its own; rename it`,
      }
    : undefined;

const volumeNameTaken: Predicate = (pod) =>
  sidecarOf(pod) === undefined && hasItem(pod, 'volumes', SIDECAR_VOLUME)
    ? {
        reason: 'NameTaken',
        message: `no sidecar: the pod has a volume named ${SIDECAR_VOLUME} of its own; rename it`,
      }
    : undefined;

const PREDICATES: readonly Predicate[] = [
  ownPod,
  staticPod,
  hostNetwork,
  windows,
  containerNameTaken,
  volumeNameTaken,
];

/** The first reason to leave the pod as it is; `undefined`: there is none. */
export function skipOf(pod: RawPod): Skip | undefined {
  for (const predicate of PREDICATES) {
    const skip = predicate(pod);
    if (skip !== undefined) return skip;
  }
  return undefined;
}
