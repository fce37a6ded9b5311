import type { KubernetesObject } from '../../kubernetes/api.ts';
import { selectorLabels } from '../labels.ts';
import { type Component, componentName, DATA_PORT, METRICS_PORT } from '../names.ts';
import { metadataOf, type StoreContext } from './context.ts';

/** Payloads for the namespaces of the store, metrics for whoever watches. What pods call is not limited: clouds' identities need it. */
export function gatewayPolicy(context: StoreContext): KubernetesObject {
  const namespaces = new Set([context.namespace, ...(context.spec.allowedNamespaces ?? [])]);
  const fromNamespaces = {
    namespaceSelector: {
      matchExpressions: [
        { key: 'kubernetes.io/metadata.name', operator: 'In', values: [...namespaces].sort() },
      ],
    },
  };
  return policy(context, 'gateway', [{ from: [fromNamespaces], ports: [tcp(DATA_PORT)] }, METRICS]);
}

export function reaperPolicy(context: StoreContext): KubernetesObject {
  return policy(context, 'reaper', [METRICS]);
}

function policy(context: StoreContext, component: Component, ingress: readonly object[]): KubernetesObject {
  return {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'NetworkPolicy',
    metadata: metadataOf(context, componentName(context.name, component), component),
    spec: {
      podSelector: { matchLabels: selectorLabels(context.name, component) },
      policyTypes: ['Ingress'],
      ingress,
    },
  };
}

function tcp(port: number) {
  return { port, protocol: 'TCP' };
}

const METRICS = { ports: [tcp(METRICS_PORT)] };
