import { type Authentication, storageKindOf } from '@largepayload/crds';
import { CONFIG_HASH, objectLabels, TEMPLATE_HASH } from '../labels.ts';
import {
  CONFIG_FOLDER,
  CONFIG_KEY,
  CONTAINER,
  type Component,
  CREDENTIALS_FOLDER,
  DATA_FOLDER,
  KUBERNETES_FOLDER,
  METRICS_PORT,
  STORAGE_ID_FOLDER,
  STORAGE_ID_KEY,
  storageIdMapName,
  TLS_FOLDER,
  TLS_SECRET,
} from '../names.ts';
import { hashValue } from '../stable-hash.ts';
import type { ComputeResources } from './compute-resources.ts';
import type { Config } from './config-map.ts';
import type { StoreContext } from './context.ts';
import { accountName } from './service-accounts.ts';

/** The parts of a pod that differ between components. */
export interface PodParts {
  readonly component: Component;
  /** after the arguments of every role */
  readonly args: readonly string[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly resources: ComputeResources;
  readonly terminationGracePeriodSeconds: number;
  /** more fields of the pod's spec */
  readonly spec?: Readonly<Record<string, unknown>>;
}

const UNPRIVILEGED = 65_532;
/** Readable by the group, which is `fsGroup`. */
const GROUP_READABLE = 0o440;

/** A pod of the store. It passes Pod Security `restricted` and a ResourceQuota that demands requests and limits. */
export function podTemplate(context: StoreContext, config: Config, parts: PodParts) {
  const { component } = parts;
  const metadata = {
    labels: objectLabels(context.name, component),
    annotations: { [CONFIG_HASH]: config.hash },
  };
  const spec = podSpec(context, config, parts);
  const annotations = { ...metadata.annotations, [TEMPLATE_HASH]: hashValue({ metadata, spec }) };
  return { metadata: { ...metadata, annotations }, spec };
}

function podSpec(context: StoreContext, config: Config, parts: PodParts) {
  const { settings, name, spec } = context;
  const pullSecrets = settings.imagePullSecrets ?? [];
  const mounts = mountsOf(context, config, parts.component);
  return {
    nodeSelector: { 'kubernetes.io/os': 'linux' },
    serviceAccountName: accountName(name, spec, parts.component),
    automountServiceAccountToken: false,
    // The variables of every Service of the namespace could be read as settings.
    enableServiceLinks: false,
    // The first process of a pid namespace gets no SIGTERM before it listens to the signal: a pod that is deleted while Node starts
    // would stay for its whole grace period. With a shared namespace the sandbox's process is the first.
    shareProcessNamespace: true,
    terminationGracePeriodSeconds: parts.terminationGracePeriodSeconds,
    securityContext: {
      runAsNonRoot: true,
      runAsUser: UNPRIVILEGED,
      runAsGroup: UNPRIVILEGED,
      fsGroup: UNPRIVILEGED,
      // Changing the group of millions of files at each start takes minutes.
      fsGroupChangePolicy: 'OnRootMismatch',
      seccompProfile: { type: 'RuntimeDefault' },
    },
    ...(pullSecrets.length > 0 && { imagePullSecrets: pullSecrets.map((secret) => ({ name: secret })) }),
    ...parts.spec,
    containers: [container(context, parts, mounts)],
    volumes: mounts.map(({ volume, name }) => ({ name, ...volume })),
  };
}

function container({ settings }: StoreContext, parts: PodParts, mounts: readonly Mount[]) {
  return {
    name: CONTAINER,
    image: settings.image,
    imagePullPolicy: settings.imagePullPolicy,
    args: [
      '/app/payload-store.mjs',
      'serve',
      ...['--role', parts.component],
      ...['--config', `${CONFIG_FOLDER}/${CONFIG_KEY}`],
      ...['--metrics-listen', `:${METRICS_PORT}`],
      '--allow-remote',
      ...parts.args,
      ...mounts.flatMap(({ args = [] }) => args),
    ],
    ports: [...parts.ports, { name: 'metrics', containerPort: METRICS_PORT }].map((port) => ({
      ...port,
      protocol: 'TCP',
    })),
    resources: parts.resources,
    securityContext: {
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'] },
    },
    startupProbe: { ...probe('/healthz'), periodSeconds: 1, failureThreshold: 60, timeoutSeconds: 2 },
    livenessProbe: { ...probe('/healthz'), periodSeconds: 10, failureThreshold: 6, timeoutSeconds: 5 },
    readinessProbe: { ...probe('/readyz'), periodSeconds: 2, failureThreshold: 3, timeoutSeconds: 5 },
    // The store's conditions quote the end of the log of a process that ended.
    terminationMessagePolicy: 'FallbackToLogsOnError',
    volumeMounts: mounts.map(({ name, mountPath, readOnly }) => ({
      name,
      mountPath,
      ...(readOnly && { readOnly }),
    })),
  };
}

function probe(path: string) {
  return { httpGet: { path, port: 'metrics' } };
}

interface Mount {
  readonly name: string;
  readonly mountPath: string;
  readonly readOnly: boolean;
  readonly volume: Readonly<Record<string, unknown>>;
  /** the service's options for the mount */
  readonly args?: readonly string[];
}

function mountsOf(
  { name, spec, uid, settings, authentication }: StoreContext,
  config: Config,
  component: Component,
): Mount[] {
  const claim = spec.storage.filesystem;
  // All gateways of the resource begin the storage with one id. A later resource of the same name finds the id and keeps it.
  const newStorage = component === 'gateway' ? ['--new-storage-id', uid] : [];
  const { clusterName } = settings;
  const cluster = clusterName === undefined ? [] : ['--cluster-name', clusterName];
  // The service refuses credentials that it cannot use.
  const takesCredentials = storageKindOf(spec).credentialKeys.length > 0;
  const secret = takesCredentials ? spec[component]?.credentialsSecretRef : undefined;
  const mounts: (Mount | undefined)[] = [
    {
      name: 'config',
      mountPath: CONFIG_FOLDER,
      readOnly: true,
      volume: { configMap: { name: config.name } },
    },
    // The folder is mounted, as single files would not follow a change of the Secret.
    secret && {
      name: 'credentials',
      mountPath: CREDENTIALS_FOLDER,
      readOnly: true,
      volume: { secret: { secretName: secret.name, defaultMode: GROUP_READABLE } },
      args: ['--credentials-dir', CREDENTIALS_FOLDER],
    },
    {
      name: 'claimed',
      mountPath: STORAGE_ID_FOLDER,
      readOnly: true,
      // The ConfigMap does not exist before the first gateway has reached the storage.
      volume: { configMap: { name: storageIdMapName(name), optional: true } },
      args: [
        '--claimed-file',
        `${STORAGE_ID_FOLDER}/${STORAGE_ID_KEY}`,
        ...newStorage,
        '--resource-uid',
        uid,
        ...cluster,
      ],
    },
    ...(component === 'gateway' ? mountsOfCallers(authentication) : []),
    claim && {
      name: 'data',
      mountPath: DATA_FOLDER,
      readOnly: false,
      volume: { persistentVolumeClaim: { claimName: claim.claimName } },
      args: ['--data-dir', DATA_FOLDER],
    },
  ];
  return mounts.filter((mount) => mount !== undefined);
}

/** What a gateway needs to know its callers: its certificate, and access to the keys of the cluster's tokens. */
function mountsOfCallers(authentication: Authentication): readonly (Mount | undefined)[] {
  return [
    {
      name: 'tls',
      mountPath: TLS_FOLDER,
      readOnly: true,
      // The operator makes it, and a gateway that needs it waits for it.
      volume: { secret: { secretName: TLS_SECRET, optional: true, defaultMode: GROUP_READABLE } },
      args: ['--tls-dir', TLS_FOLDER],
    },
    authentication === 'None'
      ? undefined
      : {
          name: 'kubernetes',
          mountPath: KUBERNETES_FOLDER,
          readOnly: true,
          volume: { projected: { defaultMode: GROUP_READABLE, sources: API_ACCESS } },
          args: ['--kubernetes-dir', KUBERNETES_FOLDER],
        },
  ];
}

/** A token for the API server's own audience, and the API server's authority, which every namespace has. */
const API_ACCESS = [
  { serviceAccountToken: { path: 'token', expirationSeconds: 3_600 } },
  { configMap: { name: 'kube-root-ca.crt', items: [{ key: 'ca.crt', path: 'ca.crt' }] } },
];
