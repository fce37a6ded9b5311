/** The parts of a store that run as pods. */
export type Component = 'gateway' | 'reaper';

export const COMPONENTS: readonly Component[] = ['gateway', 'reaper'];

/** Of the service's container; a mesh may add others to the pod. */
export const CONTAINER = 'payload-store';

export const DATA_PORT = 8577;
export const METRICS_PORT = 8578;

export const CONFIG_FOLDER = '/etc/payload-store';
export const CONFIG_KEY = 'store.yaml';
export const CREDENTIALS_FOLDER = '/var/run/secrets/payload-store/credentials';
export const DATA_FOLDER = '/var/lib/payload-store';

/** Where a pod finds a file with the id of its store's storage, once there is one. */
export const CLAIM_FOLDER = '/var/run/payload-store';
export const CLAIM_KEY = 'claimed';

/** Of the Deployment, account and policies of a component; of the gateway's Service and disruption budget too. */
export function componentName(store: string, component: Component): string {
  return `${store}-${component}`;
}

/** Within 63 characters, as a store's name has at most 40. */
export function configMapName(store: string, configHash: string): string {
  return `${store}-config-${configHash}`;
}

/** Of what tells pods which storage the store has. */
export function claimName(store: string): string {
  return `${store}-claimed`;
}

/** Where pods of the cluster reach the gateway. */
export function endpointOf(store: string, namespace: string): string {
  return `http://${componentName(store, 'gateway')}.${namespace}.svc:${DATA_PORT}`;
}
