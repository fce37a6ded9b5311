import { storageKindOf } from '@largepayload/crds';
import { CONFIG_HASH, objectLabels, TEMPLATE_HASH } from '../labels.ts';
import {
  CLAIM_FOLDER,
  CLAIM_KEY,
  CONFIG_FOLDER,
  CONFIG_KEY,
  CONTAINER,
  type Component,
  CREDENTIALS_FOLDER,
  claimName,
  DATA_FOLDER,
  METRICS_PORT,
} from '../names.ts';
import { hashValue } from '../stable-hash.ts';
import type { ComputeResources } from './compute-resources.ts';
import type { Config } from './config-map.ts';
import type { StoreContext } from './context.ts';
import { accountName } from './service-accounts.ts';

/** In which a pod of one component differs from one of another. */
export interface PodParts {
  readonly component: Component;
  /** after those that every role has */
  readonly args: readonly string[];
  readonly ports: readonly { readonly name: string; readonly containerPort: number }[];
  readonly resources: ComputeResources;
  /** s */
  readonly terminationGracePeriodSeconds: number;
  /** more of the pod's spec */
  readonly spec?: Readonly<Record<string, unknown>>;
}

const UNPRIVILEGED = 65_532;
/** Readable by the group, which is `fsGroup`. */
const GROUP_READABLE = 0o440;

/** A pod of the store. It passes Pod Security `restricted`, and a ResourceQuota that demands requests and limits. */
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
    // Variables of every Service of the namespace would be settings that nobody made.
    enableServiceLinks: false,
    // The first process of a pid namespace gets no SIGTERM before it listens to it: a pod that is deleted while Node starts would
    // stay for its whole grace period. Here that is the sandbox's.
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
    // The end of the log tells a reader of the store's conditions why the process ended.
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
  /** what tells the program */
  readonly args?: readonly string[];
}

function mountsOf(
  { name, spec, uid, settings }: StoreContext,
  config: Config,
  component: Component,
): Mount[] {
  const claim = spec.storage.filesystem;
  // Of the resource that began it: another one of that name finds it there, and keeps it.
  const newStorage = component === 'gateway' ? ['--new-storage-id', uid] : [];
  const { clusterName } = settings;
  const cluster = clusterName === undefined ? [] : ['--cluster-name', clusterName];
  // The service refuses credentials that it has no use for.
  const takesCredentials = storageKindOf(spec).credentialKeys.length > 0;
  const secret = takesCredentials ? spec[component]?.credentialsSecretRef : undefined;
  const mounts: (Mount | undefined)[] = [
    {
      name: 'config',
      mountPath: CONFIG_FOLDER,
      readOnly: true,
      volume: { configMap: { name: config.name } },
    },
    // Of the folder, not of single files: those would not follow a change of the Secret.
    secret && {
      name: 'credentials',
      mountPath: CREDENTIALS_FOLDER,
      readOnly: true,
      volume: { secret: { secretName: secret.name, defaultMode: GROUP_READABLE } },
      args: ['--credentials-dir', CREDENTIALS_FOLDER],
    },
    {
      name: 'claimed',
      mountPath: CLAIM_FOLDER,
      readOnly: true,
      // There is none before the first gateway has reached the storage.
      volume: { configMap: { name: claimName(name), optional: true } },
      args: [
        '--claimed-file',
        `${CLAIM_FOLDER}/${CLAIM_KEY}`,
        ...newStorage,
        '--resource-uid',
        uid,
        ...cluster,
      ],
    },
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
