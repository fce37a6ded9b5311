import type { Authentication } from '@largepayload/crds';

/** The parts of a store that run as pods. */
export type Component = 'gateway' | 'reaper';

export const COMPONENTS: readonly Component[] = ['gateway', 'reaper'];

/** The service's container; a mesh may add others to the pod. */
export const CONTAINER = 'payload-store';

export const DATA_PORT = 8577;
export const METRICS_PORT = 8578;

export const CONFIG_FOLDER = '/etc/payload-store';
export const CONFIG_KEY = 'store.yaml';
export const CREDENTIALS_FOLDER = '/var/run/secrets/payload-store/credentials';
export const DATA_FOLDER = '/var/lib/payload-store';

/** The Secret with the certificate of all gateways of a namespace: `tls.crt`, `tls.key` and `ca.crt`. */
export const TLS_SECRET = 'largepayload-tls';
export const TLS_FOLDER = '/var/run/secrets/payload-store/tls';

/** The folder with a token for the API server, and its CA: `token` and `ca.crt`. */
export const KUBERNETES_FOLDER = '/var/run/secrets/payload-store/kubernetes';

/** The folder in which a pod finds the id of its store's storage, once that is known. */
export const STORAGE_ID_FOLDER = '/var/run/payload-store';
export const STORAGE_ID_KEY = 'claimed';

/** The name of a component's Deployment, account and policies, and of the gateway's Service and disruption budget. */
export function componentName(store: string, component: Component): string {
  return `${store}-${component}`;
}

/** At most 63 characters, as a store's name has at most 40. */
export function configMapName(store: string, configHash: string): string {
  return `${store}-config-${configHash}`;
}

/** The name of the ConfigMap with the id of the store's storage. */
export function storageIdMapName(store: string): string {
  return `${store}-claimed`;
}

/** The key of a ConfigMap with the certificates that clients of the gateways trust. */
export const CA_KEY = 'ca.crt';

/** The name of that ConfigMap in the namespace of the store. */
export function caMapName(store: string): string {
  return `${store}-ca`;
}

/** Its name in other namespaces, which stores of the same name in several namespaces may allow. At most 107 characters. */
export function publishedCaMapName(store: string, storeNamespace: string): string {
  return `${store}.${storeNamespace}-ca`;
}

/** The URL of the gateway for pods of the cluster. */
export function endpointOf(store: string, namespace: string, authentication: Authentication): string {
  const scheme = authentication === 'None' ? 'http' : 'https';
  return `${scheme}://${componentName(store, 'gateway')}.${namespace}.svc:${DATA_PORT}`;
}
