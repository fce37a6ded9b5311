import { FOREVER, parseDuration, parseQuantity, putTimeLimit, storageKindOf } from '@largepayload/crds';
import { DEPLOYMENTS } from '../../kubernetes/resources.ts';
import { selectorLabels } from '../labels.ts';
import { DATA_PORT } from '../names.ts';
import { computeResources, gatewayResources, REAPER_RESOURCES } from './compute-resources.ts';
import type { Config } from './config-map.ts';
import { type StoreContext, type StoreObject, storeObject } from './context.ts';
import { type PodParts, podTemplate } from './pod-template.ts';

/** In addition to the longest PUT: until endpoints are withdrawn and the process has ended. */
const GATEWAY_GRACE_SECONDS = 45;
const REAPER_GRACE_SECONDS = 60;
const DEFAULT_REPLICAS = 2;

/** A pod that does not become ready replaces no ready pod. */
const NEW_BEFORE_OLD = {
  type: 'RollingUpdate',
  rollingUpdate: { maxUnavailable: 0, maxSurge: 1 },
};

/** A ReadWriteOnce volume is mounted on one node only: a new pod on another node would wait for the old pod for ever. */
const ONE_AT_A_TIME = { type: 'Recreate' };

/** The pods that put and get payloads; on a volume, the one pod that also reaps. */
export function gatewayDeployment(context: StoreContext, config: Config): StoreObject {
  const { spec, name } = context;
  const { takesManyPods } = storageKindOf(spec);
  const cacheSize = parseQuantity(spec.gateway.cacheSize ?? 0);
  const rollout = takesManyPods
    ? { replicas: spec.gateway.replicas ?? DEFAULT_REPLICAS, strategy: NEW_BEFORE_OLD }
    : { replicas: 1, strategy: ONE_AT_A_TIME };
  return deployment(context, config, rollout, {
    component: 'gateway',
    args: ['--listen', `:${DATA_PORT}`],
    ports: [{ name: 'data', containerPort: DATA_PORT }],
    resources: computeResources(gatewayResources(cacheSize), spec.gateway.resources),
    terminationGracePeriodSeconds: Math.ceil(longestPut(spec.retention.ttl) / 1_000) + GATEWAY_GRACE_SECONDS,
    ...(takesManyPods && { spec: { topologySpreadConstraints: spread(selectorLabels(name, 'gateway')) } }),
  });
}

/** ms that the service allows for a PUT of a store with this `spec.retention.ttl` */
export function longestPut(ttl: string): number {
  return putTimeLimit(ttl === FOREVER ? undefined : parseDuration(ttl));
}

/** The one pod that removes expired payloads. While it is replaced, two pods may do so, which is harmless. */
export function reaperDeployment(context: StoreContext, config: Config): StoreObject {
  return deployment(
    context,
    config,
    { replicas: 1, strategy: NEW_BEFORE_OLD },
    {
      component: 'reaper',
      args: [],
      ports: [],
      resources: computeResources(REAPER_RESOURCES, context.spec.reaper?.resources),
      terminationGracePeriodSeconds: REAPER_GRACE_SECONDS,
    },
  );
}

function deployment(
  context: StoreContext,
  config: Config,
  { replicas, strategy }: { readonly replicas: number; readonly strategy: object },
  pod: PodParts,
): StoreObject {
  const { component } = pod;
  return storeObject(context, DEPLOYMENTS, component, {
    spec: {
      replicas,
      revisionHistoryLimit: 2,
      // Undoes a person's pause, behind which edits would wait for ever.
      paused: false,
      selector: { matchLabels: selectorLabels(context.name, component) },
      strategy,
      template: podTemplate(context, config, pod),
    },
  });
}

function spread(matchLabels: Readonly<Record<string, string>>) {
  return ['topology.kubernetes.io/zone', 'kubernetes.io/hostname'].map((topologyKey) => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: 'ScheduleAnyway',
    labelSelector: { matchLabels },
    // Pods that are being replaced do not count.
    matchLabelKeys: ['pod-template-hash'],
  }));
}
