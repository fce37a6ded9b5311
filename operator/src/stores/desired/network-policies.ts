import type { KubernetesObject } from '../../kubernetes/api.ts';
import { selectorLabels } from '../labels.ts';
import { type Component, componentName, DATA_PORT, METRICS_PORT } from '../names.ts';
import { metadataOf, type StoreContext } from './context.ts';

/** Admits the store's namespaces to payloads, and scrapers to metrics. Egress is not limited, as cloud identities need it. */
export function gatewayPolicy(context: StoreContext): KubernetesObject {
  const namespaces = [context.namespace, ...(context.spec.allowedNamespaces ?? [])];
  const payloads = { from: [inNamespaces(namespaces)], ports: [tcp(DATA_PORT)] };
  return policy(context, 'gateway', [payloads, metrics(context)]);
}

export function reaperPolicy(context: StoreContext): KubernetesObject {
  return policy(context, 'reaper', [metrics(context)]);
}

/** Admits scrapers, and the operator, which polls `/status` there. The kubelet's probes pass every policy. */
function metrics({ settings }: StoreContext): object {
  const { namespace, scrapeNamespaces } = settings;
  const ports = [tcp(METRICS_PORT)];
  return scrapeNamespaces.length === 0
    ? { ports }
    : { from: [inNamespaces([namespace, ...scrapeNamespaces])], ports };
}

function inNamespaces(names: readonly string[]): object {
  const values = [...new Set(names)].sort();
  return {
    namespaceSelector: {
      matchExpressions: [{ key: 'kubernetes.io/metadata.name', operator: 'In', values }],
    },
  };
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
