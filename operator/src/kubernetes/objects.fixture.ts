import type { KubernetesObject } from './api.ts';

/** A ConfigMap `shop/NAME`, with what a test tells apart as its data. */
export function configMap(name: string, resourceVersion: string, data: Record<string, string> = {}) {
  const metadata = { namespace: 'shop', name, resourceVersion, uid: `uid-of-${name}` };
  return { apiVersion: 'v1', kind: 'ConfigMap', metadata, data } satisfies KubernetesObject;
}
