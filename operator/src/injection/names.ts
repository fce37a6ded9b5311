import { GROUP } from '@largepayload/crds';

/** On a namespace or a pod: STORE, STORE.NAMESPACE, `true` (the annotation names the store) or `false`. That of the pod wins. */
export const INJECT_LABEL = `${GROUP}/inject`;
/** Beside the label `true`: STORE or STORE.NAMESPACE, which may be longer than the 63 characters of a label. */
export const STORE_ANNOTATION = `${GROUP}/store`;
/** On injected pods: store, version and hash of the sidecar as JSON, see `InjectedAnnotation`. */
export const INJECTED_ANNOTATION = `${GROUP}/injected`;

/** The container and the volume that are injected. A pod that has the container already gets no other. */
export const SIDECAR_CONTAINER = 'large-payload-sidecar';
export const SIDECAR_VOLUME = 'large-payload-sidecar';
/** Where the sidecar finds its `token` and the `ca.crt` of the gateways. */
export const SIDECAR_FOLDER = '/var/run/secrets/largepayload.dev';

/** Variables that a worker's codec reads. */
export const SERVICE_URL_VARIABLE = 'LARGE_PAYLOAD_SERVICE_URL';
export const THRESHOLD_VARIABLE = 'LARGE_PAYLOAD_THRESHOLD_BYTES';
export const SIDECAR_URL = 'http://127.0.0.1:8577';

/** The value of `INJECTED_ANNOTATION`. */
export interface InjectedAnnotation {
  /** STORE.NAMESPACE */
  readonly store: string;
  /** of the operator that described the sidecar */
  readonly version: string;
  /** of container, volume and environment as they are injected for this store, whatever the pod */
  readonly hash: string;
}
