import { NETWORK_POLICIES } from '../../kubernetes/resources.ts';
import { selectorLabels } from '../labels.ts';
import { type Component, DATA_PORT, METRICS_PORT } from '../names.ts';
import { type StoreContext, type StoreObject, storeObject } from './context.ts';

/** Admits the store's namespaces to payloads, and scrapers to metrics. Egress is not limited, as cloud identities need it. */
export function gatewayPolicy(context: StoreContext): StoreObject {
  const namespaces = [context.namespace, ...(context.spec.allowedNamespaces ?? [])];
  const payloads = { from: [inNamespaces(namespaces)], ports: [tcp(DATA_PORT)] };
  return policy(context, 'gateway', [payloads, metrics(context)]);
}

export function reaperPolicy(context: StoreContext): StoreObject {
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

function policy(context: StoreContext, component: Component, ingress: readonly object[]): StoreObject {
  return storeObject(context, NETWORK_POLICIES, component, {
    spec: {
      podSelector: { matchLabels: selectorLabels(context.name, component) },
      policyTypes: ['Ingress'],
      ingress,
    },
  });
}

function tcp(port: number) {
  return { port, protocol: 'TCP' };
}
