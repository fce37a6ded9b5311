import { parseQuantity } from '@largepayload/crds';
import { type ComputeResources, computeResources } from '../stores/desired/compute-resources.ts';
import { CA_KEY, caMapName, endpointOf, METRICS_PORT, publishedCaMapName } from '../stores/names.ts';
import type { StoreSpec } from '../stores/read-store.ts';
import { hashValue } from '../stores/stable-hash.ts';
import {
  type InjectedAnnotation,
  SERVICE_URL_VARIABLE,
  SIDECAR_CONTAINER,
  SIDECAR_FOLDER,
  SIDECAR_URL,
  SIDECAR_VOLUME,
  THRESHOLD_VARIABLE,
} from './names.ts';
import type { StoreName } from './selection.ts';

export interface InjectedStore extends StoreName {
  /** `undefined`: the store does not exist yet or cannot be read, and gets the defaults */
  readonly spec?: Pick<StoreSpec, 'thresholdSize' | 'sidecar'> | undefined;
}

export interface InjectionSettings {
  readonly image: string;
  readonly imagePullPolicy: string;
  /** Secrets of the pod's namespace */
  readonly imagePullSecrets: readonly string[];
  /** also the group; `undefined`: the platform chooses, as OpenShift does */
  readonly runAsUser: number | undefined;
  /** of the program that injects */
  readonly version: string;
}

type Fields = Readonly<Record<string, unknown>>;

/** Everything that the pods of a store get, whatever the pod. */
export interface Sidecar {
  readonly container: Fields;
  /** in pods of the store's own namespace */
  readonly volume: Fields;
  /** in pods of other namespaces, where the ConfigMap has another name */
  readonly volumeElsewhere: Fields;
  /** for the other containers of the pod */
  readonly environment: readonly { readonly name: string; readonly value: string }[];
  readonly imagePullSecrets: readonly { readonly name: string }[];
  readonly annotation: InjectedAnnotation;
}

const SIDECAR_RESOURCES: ComputeResources = {
  requests: { cpu: '10m', memory: '64Mi' },
  // 128Mi, the cache of 64Mi, and 64Mi for more and larger payloads at a time: docs/sidecar.md#memory
  limits: { memory: '256Mi' },
};
/** That of the CRD. */
const DEFAULT_THRESHOLD = 128_000;
const TOKEN_SECONDS = 600;

export function sidecarFor(store: InjectedStore, settings: InjectionSettings): Sidecar {
  const described = {
    container: containerFor(store, settings),
    volume: volumeFor(store, caMapName(store.name)),
    environment: [
      { name: SERVICE_URL_VARIABLE, value: SIDECAR_URL },
      {
        name: THRESHOLD_VARIABLE,
        value: String(parseQuantity(store.spec?.thresholdSize ?? DEFAULT_THRESHOLD)),
      },
    ],
    imagePullSecrets: settings.imagePullSecrets.map((name) => ({ name })),
  };
  const annotation = {
    store: `${store.name}.${store.namespace}`,
    version: settings.version,
    hash: hashValue(described),
  };
  const volumeElsewhere = volumeFor(store, publishedCaMapName(store.name, store.namespace));
  return { ...described, volumeElsewhere, annotation };
}

/** Audience of the tokens that the gateways of a store accept. */
export function audienceOf({ name, namespace }: StoreName): string {
  return `largepayload.dev/${namespace}/${name}`;
}

function containerFor(
  store: InjectedStore,
  { image, imagePullPolicy, runAsUser }: InjectionSettings,
): Fields {
  return {
    name: SIDECAR_CONTAINER,
    image,
    imagePullPolicy,
    // An init container with this policy starts before the containers of the pod and ends after them.
    restartPolicy: 'Always',
    args: ['/app/payload-store.mjs', 'sidecar', '--metrics-listen', `:${METRICS_PORT}`, '--allow-remote'],
    env: [
      // A gateway that asks for no token answers by TLS too.
      { name: 'LARGE_PAYLOAD_GATEWAY_URL', value: endpointOf(store.name, store.namespace, 'Token') },
      { name: 'LARGE_PAYLOAD_SERVICE_TOKEN_FILE', value: `${SIDECAR_FOLDER}/token` },
      { name: 'LARGE_PAYLOAD_SERVICE_CA_FILE', value: `${SIDECAR_FOLDER}/${CA_KEY}` },
    ],
    ports: [{ name: 'payload-metrics', containerPort: METRICS_PORT, protocol: 'TCP' }],
    // There is no readiness probe: while the gateway is away, the pod stays in its Services.
    startupProbe: {
      httpGet: { path: '/healthz', port: 'payload-metrics' },
      periodSeconds: 1,
      timeoutSeconds: 2,
      failureThreshold: 60,
    },
    resources: computeResources(SIDECAR_RESOURCES, store.spec?.sidecar?.resources),
    securityContext: {
      runAsNonRoot: true,
      ...(runAsUser !== undefined && { runAsUser, runAsGroup: runAsUser }),
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
      seccompProfile: { type: 'RuntimeDefault' },
    },
    volumeMounts: [{ name: SIDECAR_VOLUME, mountPath: SIDECAR_FOLDER, readOnly: true }],
  };
}

function volumeFor(store: InjectedStore, caMap: string): Fields {
  return {
    name: SIDECAR_VOLUME,
    projected: {
      sources: [
        {
          serviceAccountToken: {
            audience: audienceOf(store),
            expirationSeconds: TOKEN_SECONDS,
            path: 'token',
          },
        },
        // Without `optional` a pod would not start before the operator has published the certificates.
        { configMap: { name: caMap, items: [{ key: CA_KEY, path: CA_KEY }], optional: true } },
      ],
    },
  };
}
