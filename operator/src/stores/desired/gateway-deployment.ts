import { storageKindOf } from '@largepayload/crds';
import type { KubernetesObject } from '../../kubernetes/api.ts';
import { selectorLabels } from '../labels.ts';
import { componentName, DATA_PORT } from '../names.ts';
import { longestPut } from '../put-time-limit.ts';
import type { StoreSpec } from '../read-store.ts';
import { computeResources, GATEWAY_RESOURCES } from './compute-resources.ts';
import type { Config } from './config-map.ts';
import { metadataOf, type StoreContext } from './context.ts';
import { podTemplate } from './pod-template.ts';

/** In addition to the longest PUT: until endpoints are withdrawn and the process has ended. */
const GRACE_SECONDS = 45;
const DEFAULT_REPLICAS = 2;

/** The pods that put and get payloads; on a volume, the one pod that also reaps. */
export function gatewayDeployment(context: StoreContext, config: Config): KubernetesObject {
  const { name, spec } = context;
  const selector = { matchLabels: selectorLabels(name, 'gateway') };
  const { takesManyPods } = storageKindOf(spec);
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: metadataOf(context, componentName(name, 'gateway'), 'gateway'),
    spec: {
      replicas: gatewayReplicas(spec),
      revisionHistoryLimit: 2,
      // Undoes a person's pause, behind which edits would wait for ever.
      paused: false,
      selector,
      strategy: takesManyPods ? NEW_BEFORE_OLD : ONE_AT_A_TIME,
      template: podTemplate(context, config, {
        component: 'gateway',
        args: ['--listen', `:${DATA_PORT}`],
        ports: [{ name: 'data', containerPort: DATA_PORT }],
        resources: computeResources(GATEWAY_RESOURCES, spec.gateway.resources),
        terminationGracePeriodSeconds: Math.ceil(longestPut(spec.retention.ttl) / 1_000) + GRACE_SECONDS,
        ...(takesManyPods && { spec: { topologySpreadConstraints: spread(selector) } }),
      }),
    },
  };
}

function gatewayReplicas(spec: StoreSpec): number {
  return storageKindOf(spec).takesManyPods ? (spec.gateway.replicas ?? DEFAULT_REPLICAS) : 1;
}

/** A pod that does not become ready replaces no ready pod. */
export const NEW_BEFORE_OLD = {
  type: 'RollingUpdate',
  rollingUpdate: { maxUnavailable: 0, maxSurge: 1 },
};

/** A ReadWriteOnce volume is mounted on one node only: a new pod on another node would wait for the old pod for ever. */
const ONE_AT_A_TIME = { type: 'Recreate' };

function spread(labelSelector: object) {
  return ['topology.kubernetes.io/zone', 'kubernetes.io/hostname'].map((topologyKey) => ({
    maxSkew: 1,
    topologyKey,
    whenUnsatisfiable: 'ScheduleAnyway',
    labelSelector,
    // Pods that are being replaced do not count.
    matchLabelKeys: ['pod-template-hash'],
  }));
}
